using System.Text;
using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;
using OrleansLog.Replication.Following;
using OrleansLog.Replication.Messages;
using OrleansLog.Replication.Metadata;
using OrleansLog.Replication.Replicas;
using OrleansLog.Storage;
using OrleansLog.UnitTests.Storage;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Replication;

/// <summary>What a replica takes over from its directory when it is opened.</summary>
public sealed class ReplicaDirectoryTests
{
    private const string Directory = "/data/orders-0";

    private static readonly Guid Topic = new(1, 0, 0, new byte[8]);
    private static readonly Guid Recreated = new(2, 0, 0, new byte[8]);

    private readonly FaultyFileSystem _disk = new(seed: 0);
    private readonly RecordingLogger _logger = new();

    [Fact]
    public async Task A_replica_goes_on_with_what_its_topic_has_left()
    {
        await LeaveAsync(new(new(7), LeaderEpoch.None, new(3), Topic));
        await using var replica = await OpenAsync(Topic);
        Assert.Equal((new Offset(5), new Offset(3), new LeaderEpoch(7)), (replica.Log.LogEndOffset, replica.HighWatermark, replica.Epoch));
    }

    [Fact]
    public async Task What_another_topic_of_the_same_name_has_left_is_dropped()
    {
        await LeaveAsync(new(new(7), LeaderEpoch.None, new(3), Topic));
        await using (var replica = await OpenAsync(Recreated))
            Assert.Equal((Offset.Zero, Offset.Zero, LeaderEpoch.None), (replica.Log.LogEndOffset, replica.HighWatermark, replica.Epoch));
        Assert.Contains(_logger.Entries, entry => entry.Level == LogLevel.Warning && entry.Message.Contains("an earlier topic", StringComparison.Ordinal));
        Assert.Equal(Recreated, new ReplicaStateFile(_disk, Directory).Read().TopicId);
    }

    [Fact]
    public async Task A_crash_while_it_is_dropped_does_not_bring_it_back()
    {
        await LeaveAsync(new(new(7), LeaderEpoch.None, new(3), Topic));
        for (var flushes = 0; flushes < 12; flushes++)
        {
            _disk.HoldFlushes = true;
            var opening = OpenAsync(Recreated);
            for (var released = 0; released < flushes && !opening.IsCompleted; released++) _disk.ReleaseFlushes();
            _disk.HoldFlushes = false;
            _disk.Crash();
            await using var replica = await OpenAsync(Recreated);
            Assert.Equal(Offset.Zero, replica.Log.LogEndOffset);
        }
    }

    [Fact]
    public async Task A_state_without_a_topic_belongs_to_whoever_opens_it()
    {
        await LeaveAsync(new(new(7), LeaderEpoch.None, new(3)));
        Assert.StartsWith("1 7 -1 3 ", Encoding.ASCII.GetString(_disk.ReadAll($"{Directory}/{ReplicaStateFile.FileName}")), StringComparison.Ordinal);
        await using (var replica = await OpenAsync(Topic)) Assert.Equal(new Offset(5), replica.Log.LogEndOffset);
        Assert.Equal(Topic, new ReplicaStateFile(_disk, Directory).Read().TopicId);
    }

    private async Task LeaveAsync(ReplicaState state)
    {
        await using (var log = await PartitionLog.OpenAsync(_disk, Directory, new(), TimeProvider.System, _logger))
            for (var i = 0; i < 5; i++) log.Append(TestBatches.At(i), new(0));
        await new ReplicaStateFile(_disk, Directory).WriteAsync(state);
    }

    private Task<PartitionReplica> OpenAsync(Guid topic) =>
        PartitionReplica.OpenAsync(new(new("orders", 0), topic, "orders-0", new(), new()), "/data", Ports());

    private ReplicaPorts Ports() => new()
    {
        Self = new(new(0), 1, 1, 1),
        Files = _disk,
        Channel = new Alone(),
        Register = new(new NoRegister(), () => "n", TimeProvider.System, 1),
        Cluster = new Alone(),
        Time = TimeProvider.System,
        Logger = _logger,
    };

    private sealed class Alone : IReplicationChannel, IClusterView
    {
        public ValueTask<AppendReply> AppendAsync(BrokerId to, AppendRequest request, CancellationToken cancellationToken) => throw new IOException("nobody is there");

        public bool IsAlive(BrokerId broker) => false;

        public long EpochOf(BrokerId broker) => 0;
    }

    private sealed class NoRegister : IMetadataRegister
    {
        public ValueTask<RegisterEntry?> GetAsync(string key, CancellationToken cancellationToken) => new((RegisterEntry?)null);

        public ValueTask<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken) => new([]);

        public ValueTask<RegisterVersion?> PutAsync(
            string key, ReadOnlyMemory<byte> document, RegisterVersion? expected, CancellationToken cancellationToken) => new((RegisterVersion?)null);

        public ValueTask<bool> DeleteAsync(string key, RegisterVersion expected, CancellationToken cancellationToken) => new(false);
    }
}
