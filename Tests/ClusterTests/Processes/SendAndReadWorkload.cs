using System.Globalization;
using System.Text;
using OrleansLog.Client;
using OrleansLog.ClusterTests.Support;
using OrleansLog.Protocol;
using OrleansLog.Simulation.Checking;

namespace OrleansLog.ClusterTests.Processes;

/// <summary>
/// Producers and consumers that write down what they are told, for the simulator's history checker. Each producer sends one
/// value after the other to each partition; each value once. They take turns with the clients that they are given.
/// </summary>
internal sealed class SendAndReadWorkload : IWorkload
{
    private const string Topic = "history";
    private const int Partitions = 3;
    private const int Producers = 2;
    private const int Consumers = 2;

    private readonly CancellationTokenSource _stopProducing = new();
    private readonly CancellationTokenSource _stopConsuming = new();
    private readonly Lock _gate = new();
    private readonly List<Sent>[] _acknowledged = [.. Enumerable.Range(0, Partitions).Select(_ => new List<Sent>())];
    private readonly Timeline[] _progress = [.. Enumerable.Range(0, Partitions).Select(_ => new Timeline())];
    private readonly List<Got> _polled = [];
    private readonly HashSet<(int Who, int Partition, long Offset)> _seen = [];
    private readonly List<string> _refusals = [];
    private IReadOnlyList<OrleansLogClient> _clients = [];
    private Task[] _producers = [];
    private Task[] _consumers = [];
    private long _lastValue;

    public IReadOnlyList<NewTopic> Topics { get; } =
        [new NewTopic(Topic, Partitions, ReplicationFactor: 3) { Configs = new Dictionary<string, string> { ["min.insync.replicas"] = "2" } }];

    public void Start(IReadOnlyList<OrleansLogClient> clients)
    {
        _clients = clients;
        _producers = [.. Enumerable.Range(0, Producers).SelectMany(id => Enumerable.Range(0, Partitions).Select(partition => Task.Run(() => ProduceAsync(id, partition))))];
        _consumers = [.. Enumerable.Range(0, Consumers).Select(id => Task.Run(() => ConsumeAsync(id)))];
    }

    /// <summary>How many values were acknowledged, on the partition with the fewest.</summary>
    public int FewestSince(DateTimeOffset moment)
    {
        lock (_gate)
            return _progress.Min(partition => partition.CountSince(moment));
    }

    /// <summary>How many values each producer had acknowledged since a moment, by partition, and what was refused.</summary>
    public string Describe(DateTimeOffset since)
    {
        lock (_gate)
        {
            var counts = Enumerable.Range(0, Partitions).SelectMany(partition => _acknowledged[partition]
                .Where(sent => sent.AtMs > since.ToUnixTimeMilliseconds()).CountBy(sent => sent.Producer)
                .Select(count => $"{count.Value} by producer {count.Key} to partition {partition}"));
            return string.Join(Environment.NewLine, counts.Concat(_refusals.TakeLast(20)));
        }
    }

    /// <summary>The longest that any partition acknowledged nothing between two moments, in ms.</summary>
    public long LongestGap(DateTimeOffset from, DateTimeOffset to)
    {
        lock (_gate)
            return _progress.Max(partition => partition.LongestGap(from, to));
    }

    /// <summary>Ends the producers, lets the consumers read to the end, and says what is wrong with what they saw.</summary>
    public async Task<IReadOnlyList<string>> JudgeAsync(ITestOutputHelper output)
    {
        await _stopProducing.CancelAsync();
        await Task.WhenAll(_producers);
        var log = await ReadLogAsync();
        await Eventually.TrueAsync(() => HaveRead(log.Count));
        await _stopConsuming.CancelAsync();
        await Task.WhenAll(_consumers);
        output.WriteLine($"{_progress.Sum(partition => partition.Count)} records acknowledged.");
        return [.. Enumerable.Range(0, Partitions).SelectMany(partition => Judge(partition, log)), .. _refusals];
    }

    public async ValueTask DisposeAsync()
    {
        await _stopProducing.CancelAsync();
        await _stopConsuming.CancelAsync();
        await Task.WhenAll([.. _producers, .. _consumers]);
        _stopProducing.Dispose();
        _stopConsuming.Dispose();
    }

    private async Task ProduceAsync(int id, int partition)
    {
        await using var producer = _clients[id % _clients.Count].CreateProducer(new ProducerOptions { DeliveryTimeoutMs = 60_000, RequestTimeoutMs = 3_000 });
        while (!_stopProducing.IsCancellationRequested)
        {
            var value = Interlocked.Increment(ref _lastValue);
            try
            {
                var metadata = await producer.ProduceAsync(Topic, new OutgoingRecord { Partition = partition, Value = Encoding.ASCII.GetBytes(Text(value)) });
                lock (_gate)
                {
                    _progress[partition].Add();
                    _acknowledged[partition].Add(new(id, metadata.Offset.Value, value, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()));
                }
            }
            catch (OrleansLogException refused)
            {
                Refused($"producer {id} to {partition}: {refused.Message}");
            }
        }
    }

    private void Refused(string what)
    {
        lock (_gate)
            _refusals.Add($"{DateTimeOffset.UtcNow:HH:mm:ss.fff} {what}");
    }

    private async Task ConsumeAsync(int id)
    {
        await using var consumer = _clients[id % _clients.Count].CreateConsumer<string, string>(new ConsumerOptions { OffsetReset = OffsetReset.Earliest });
        consumer.Assign(Enumerable.Range(0, Partitions).Select(partition => new TopicPartition(Topic, partition)));
        try
        {
            await foreach (var record in consumer.ConsumeAsync(_stopConsuming.Token))
            {
                lock (_gate)
                {
                    _polled.Add(new(id, record.Partition, record.Offset.Value, long.Parse(record.Value!, CultureInfo.InvariantCulture)));
                    _seen.Add((id, record.Partition, record.Offset.Value));
                }
            }
        }
        catch (OperationCanceledException)
        {
            // It has read to the end.
        }
        catch (OrleansLogException refused)
        {
            Refused($"consumer {id}: {refused.Message}");
        }
    }

    private async Task<List<Got>> ReadLogAsync()
    {
        var ends = await _clients[0].Admin.ListOffsetsAsync(Enumerable.Range(0, Partitions).ToDictionary(partition => new TopicPartition(Topic, partition), _ => OffsetSpec.Latest));
        var log = new List<Got>();
        var left = ends.Where(end => end.Value.Offset > Offset.Zero).ToDictionary(end => end.Key.Partition, end => end.Value.Offset.Value);
        await using var reader = _clients[0].CreateConsumer<string, string>(new ConsumerOptions { OffsetReset = OffsetReset.Earliest });
        reader.Assign(ends.Keys);
        await foreach (var record in reader.ConsumeAsync())
        {
            log.Add(new(-1, record.Partition, record.Offset.Value, long.Parse(record.Value!, CultureInfo.InvariantCulture)));
            if (record.Offset.Value + 1 >= left.GetValueOrDefault(record.Partition))
                left.Remove(record.Partition);
            if (left.Count == 0)
                break;
        }
        return log;
    }

    private bool HaveRead(int records)
    {
        lock (_gate)
            return _seen.Count >= records * _consumers.Length;
    }

    // Everything in the log at the end is what was committed; what a consumer got beyond that was not.
    private IEnumerable<string> Judge(int partition, List<Got> log)
    {
        var history = new History();
        foreach (var got in log.Where(got => got.Partition == partition))
            history.Committed(new(got.Offset), got.Value);
        foreach (var sent in _acknowledged[partition])
            history.Acknowledged(sent.Producer, new(sent.Offset), sent.Value);
        foreach (var got in _polled.Where(got => got.Partition == partition))
            history.Polled(got.Who, new(got.Offset), got.Value);
        return history.FindAnomalies().Select(anomaly => $"{Topic}-{partition}: {anomaly}");
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private readonly record struct Sent(int Producer, long Offset, long Value, long AtMs);

    private readonly record struct Got(int Who, int Partition, long Offset, long Value);
}
