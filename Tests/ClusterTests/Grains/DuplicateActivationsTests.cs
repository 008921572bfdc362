using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using OrleansLog.Client;
using OrleansLog.ClusterTests.Client;
using OrleansLog.ClusterTests.Processes;
using OrleansLog.ClusterTests.Support;
using OrleansLog.Grains;
using OrleansLog.Grains.Calls;
using OrleansLog.Hosting;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Replication.Brokers;
using OrleansLog.UnitTests.Metadata;

namespace OrleansLog.ClusterTests.Grains;

/// <summary>
/// Three silos, each of which takes itself for the one that every partition grain belongs on, so that the grain is active on
/// all of them at once, while leaderships move. <c>ORLEANSLOG_DUPLICATES</c> asks for more activations where none belongs.
/// </summary>
public sealed class DuplicateActivationsTests(Azurite azurite, ITestOutputHelper output) : IAsyncLifetime
{
    private const string Topic = "contested";
    private const int Silos = 3;
    private const int Partitions = 3;
    private const int AcknowledgementsPerMove = 10;
    private const int DuplicatesPerMove = 100;

    private static readonly int Duplicates = int.Parse(Environment.GetEnvironmentVariable("ORLEANSLOG_DUPLICATES") ?? "500", CultureInfo.InvariantCulture);

    private readonly List<LogSilo> _silos = [];
    private readonly ConcurrentDictionary<(int Partition, long Offset), long> _acknowledged = [];
    private int _refused;
    private int _moves;
    private long _lastValue;

    private bool IsEnough => Volatile.Read(ref _refused) >= Duplicates && Volatile.Read(ref _moves) >= Duplicates / DuplicatesPerMove;

    public async ValueTask InitializeAsync()
    {
        var cluster = $"duplicates-{Guid.NewGuid():n}";
        for (var id = 0; id < Silos; id++)
        {
            _silos.Add(new LogSilo(id, cluster, azurite.ConnectionString, silo => silo.Services.AddSingleton<ILocalBroker>(
                services => new SelfCentredBroker(services.GetRequiredService<LocalBroker>()))));
            await _silos[id].StartAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in _silos) await silo.DisposeAsync();
    }

    [Fact]
    public async Task Partition_grains_on_every_silo_agree_on_what_is_committed()
    {
        await using var client = new OrleansLogClient(string.Join(',', _silos.Select(silo => silo.Kafka)));
        await Eventually.TrueAsync(async () => (await client.Admin.DescribeClusterAsync()).Brokers.Count == Silos);
        await client.Admin.CreateTopicAsync(new NewTopic(Topic, Partitions, Silos) { Configs = new Dictionary<string, string> { ["min.insync.replicas"] = "2" } });

        await Task.WhenAll([.. Enumerable.Range(0, Partitions).Select(WriteAsync), MoveAsync(client)]);

        output.WriteLine($"{_refused} activations where the grain does not belong, {_moves} moves of all leaderships, {_acknowledged.Count} records acknowledged.");
        var committed = await ReadAsync(client);
        Assert.All(_acknowledged, each => Assert.Equal(each.Value, committed.GetValueOrDefault(each.Key)));
        await AssertSameOnAllAsync(committed);
    }

    // Whichever silo a call starts from has an activation of its own, and most of these are refused.
    private async Task WriteAsync(int partition)
    {
        var key = $"{Topic}/{partition}";
        while (!IsEnough)
        {
            var value = Interlocked.Increment(ref _lastValue);
            var grains = _silos[Random.Shared.Next(Silos)].Services.GetRequiredService<IGrainFactory>();
            var result = await grains.GetGrain<IPartitionGrain>(key).AppendAsync(Batch(value), timeoutMs: 5_000);
            if (result.Error == ErrorCode.None) Assert.True(_acknowledged.TryAdd((partition, result.BaseOffset), value), $"{key} acknowledged offset {result.BaseOffset} twice");
            else if (result.Error == ErrorCode.NotLeaderOrFollower) Interlocked.Increment(ref _refused);
        }
    }

    private async Task MoveAsync(OrleansLogClient client)
    {
        var all = Enumerable.Range(0, Partitions).Select(partition => new TopicPartition(Topic, partition)).ToList();
        while (!IsEnough)
        {
            var due = (_moves + 1) * AcknowledgementsPerMove;
            await Eventually.TrueAsync(() => _acknowledged.Count >= due || IsEnough);
            await client.Admin.AlterPartitionReassignmentsAsync(all.ToDictionary(
                partition => partition, partition => (IReadOnlyList<BrokerId>?)[.. Enumerable.Range(partition.Partition + _moves, Silos).Select(id => new BrokerId(id % Silos))]));
            await client.Admin.ElectLeadersAsync(ElectionType.Preferred, all);
            Interlocked.Increment(ref _moves);
        }
    }

    private static async Task<Dictionary<(int Partition, long Offset), long>> ReadAsync(OrleansLogClient client)
    {
        var ends = await client.Admin.ListOffsetsAsync(Enumerable.Range(0, Partitions).ToDictionary(partition => new TopicPartition(Topic, partition), _ => OffsetSpec.Latest));
        var left = ends.Sum(end => end.Value.Offset.Value);
        var read = new Dictionary<(int, long), long>();
        await using var consumer = client.CreateConsumer<string, string>(new ConsumerOptions { OffsetReset = OffsetReset.Earliest });
        consumer.Assign(ends.Keys);
        await foreach (var record in consumer.ConsumeAsync())
        {
            read.Add((record.Partition, record.Offset.Value), long.Parse(record.Value!, CultureInfo.InvariantCulture));
            if (read.Count == left) break;
        }
        return read;
    }

    private async Task AssertSameOnAllAsync(Dictionary<(int Partition, long Offset), long> committed)
    {
        foreach (var partition in committed.GroupBy(each => each.Key.Partition))
        {
            var end = new Offset(partition.Max(each => each.Key.Offset) + 1);
            var logs = _silos.ConvertAll(silo => silo.Services.GetRequiredService<BrokerSilo>().Broker!.Broker!.Partitions.Find(new(Topic, partition.Key))!.Log);
            await Eventually.TrueAsync(() => logs.All(log => log.LogEndOffset >= end));
            var copies = logs.ConvertAll(log => BytesUpTo(log, end));
            Assert.All(copies, copy => Assert.Equal(copies[0], copy));
        }
    }

    private static byte[] BytesUpTo(OrleansLog.Storage.PartitionLog log, Offset end)
    {
        var read = log.Read(Offset.Zero, int.MaxValue, end);
        var bytes = new byte[read.Slice.Length];
        Assert.Equal(bytes.Length, read.Slice.Read(bytes));
        return bytes;
    }

    private static byte[] Batch(long value)
    {
        using var builder = new RecordBatchBuilder(1 << 12);
        builder.TryAppend(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), [], true, Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture)), false, []);
        return builder.Build().ToArray();
    }

    /// <summary>
    /// Answers that its silo is where every grain belongs, apart from the one time after it has refused a call, when the grain
    /// asks whether it should go: the next call then meets a new activation.
    /// </summary>
    private sealed class SelfCentredBroker(LocalBroker local) : ILocalBroker
    {
        private readonly ConcurrentDictionary<TopicPartition, bool> _hasRefused = [];

        public BrokerId Id => local.Id;

        public IBrokerPeer Peer => local.Peer;

        public BrokerId Controller => local.Controller;

        public CancellationToken Stopping => local.Stopping;

        public BrokerId LeaderOf(TopicPartition partition) => _hasRefused.TryRemove(partition, out _) ? local.LeaderOf(partition) : Id;

        public BrokerId CoordinatorOf(int offsetsPartition) => local.CoordinatorOf(offsetsPartition);
        public BrokerId TransactionCoordinatorOf(int statePartition) => local.TransactionCoordinatorOf(statePartition);

        public ValueTask<Payload> HandleAsync(Payload request, CancellationToken cancellationToken) => local.HandleAsync(request, cancellationToken);

        public async ValueTask<AppendResult> AppendAsync(TopicPartition partition, Payload batches, short acks, int timeoutMs)
        {
            var result = await local.AppendAsync(partition, batches, acks, timeoutMs);
            if (result.Error == ErrorCode.NotLeaderOrFollower) _hasRefused[partition] = true;
            return result;
        }

        public ValueTask<FetchResult> FetchAsync(TopicPartition partition, FetchCall call) => local.FetchAsync(partition, call);

        public ValueTask<OffsetResult> ListOffsetAsync(TopicPartition partition, long timestampMs) => local.ListOffsetAsync(partition, timestampMs);

        public ValueTask<OffsetResult> DeleteRecordsAsync(TopicPartition partition, long before) => local.DeleteRecordsAsync(partition, before);
    }
}
