using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using OrleansLog.Protocol;

namespace OrleansLog.Replication.Metadata;

/// <summary>
/// What the cluster agrees on about one partition: one document in the metadata register, changed by compare-and-set
/// alone. Immutable.
/// </summary>
public sealed record PartitionRecord
{
    /// <summary>The documents lie under <c>partitions/TOPIC-INDEX</c>.</summary>
    public const string KeyPrefix = "partitions/";

    /// <summary>The brokers that hold the partition; the first one is the preferred leader.</summary>
    public required ImmutableArray<BrokerId> Replicas { get; init; }

    /// <summary>
    /// The replicas that hold everything committed. Empty only before an unclean election, or one of an
    /// <see cref="Eligible"/> replica in the place of the last one, whose disk failed.
    /// </summary>
    public required ImmutableArray<InSyncReplica> InSync { get; init; }

    /// <summary>
    /// Replicas that left the in-sync set while it was smaller than <c>min.insync.replicas</c>. Nothing is committed in
    /// that state, so they hold everything committed too (KIP-966).
    /// </summary>
    public ImmutableArray<InSyncReplica> Eligible { get; init; } = [];

    /// <summary>Who leads or led last.</summary>
    public required BrokerId Leader { get; init; }

    /// <summary>Counts the leaderships.</summary>
    public required LeaderEpoch LeaderEpoch { get; init; }

    /// <summary>The last leadership that an unclean election gave, which may have lost committed records.</summary>
    public LeaderEpoch UncleanEpoch { get; init; } = LeaderEpoch.None;

    /// <summary>Replicas that a reassignment adds (KIP-455); among <see cref="Replicas"/>, at their end.</summary>
    public ImmutableArray<BrokerId> Adding { get; init; } = [];

    /// <summary>Replicas that go once those that a reassignment adds are in sync.</summary>
    public ImmutableArray<BrokerId> Removing { get; init; } = [];

    /// <summary>Counts the changes of this record: of two of its versions, the one with the higher number is the later (KIP-497).</summary>
    public int PartitionEpoch { get; init; }

    /// <summary>Drawn by the writer of each version: tells it that a write whose answer was lost was its own.</summary>
    public required string Nonce { get; init; }

    public static string KeyOf(TopicPartition partition) => $"{KeyPrefix}{partition}";

    /// <summary>Which partition a key is of, if it is one's.</summary>
    public static bool TryParseKey(string key, out TopicPartition partition)
    {
        var dash = key.LastIndexOf('-');
        var isOne = key.StartsWith(KeyPrefix, StringComparison.Ordinal) && dash > KeyPrefix.Length;
        partition = default;
        if (!isOne || !int.TryParse(key.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var index)) return false;
        partition = new(key[KeyPrefix.Length..dash], index);
        return true;
    }

    /// <summary>A new partition: led by nobody, every replica in sync with its emptiness.</summary>
    public static PartitionRecord Create(IEnumerable<InSyncReplica> replicas, string nonce)
    {
        ImmutableArray<InSyncReplica> all = [.. replicas];
        return new()
        {
            Replicas = [.. all.Select(replica => replica.Broker)],
            InSync = all,
            Leader = BrokerId.None,
            LeaderEpoch = LeaderEpoch.None,
            Nonce = nonce,
        };
    }

    public bool IsInSync(BrokerId broker) => Find(InSync, broker) is not null;

    public InSyncReplica? FindInSync(BrokerId broker) => Find(InSync, broker);

    public InSyncReplica? FindEligible(BrokerId broker) => Find(Eligible, broker);

    /// <summary>
    /// With another in-sync set. Who leaves it while it gets (or already is) too small to commit stays eligible; once it
    /// is large enough again, nobody outside of it is (KIP-966).
    /// </summary>
    public PartitionRecord WithInSync(ImmutableArray<InSyncReplica> inSync, int minInSyncReplicas)
    {
        if (inSync.Length >= minInSyncReplicas) return this with { InSync = inSync, Eligible = [] };
        var eligible = Eligible.Concat(InSync).Where(replica => Find(inSync, replica.Broker) is null);
        return this with { InSync = inSync, Eligible = [.. eligible.DistinctBy(replica => replica.Broker)] };
    }

    /// <summary>Without a replica's earlier progress: it has to catch up before it counts again.</summary>
    public PartitionRecord Distrusting(BrokerId broker) => this with
    {
        InSync = [.. InSync.Where(replica => replica.Broker != broker)],
        Eligible = [.. Eligible.Where(replica => replica.Broker != broker)],
    };

    public byte[] Serialize() => JsonSerializer.SerializeToUtf8Bytes(
        new PartitionDocument(
            Ids(Replicas), Pairs(InSync), Pairs(Eligible), Leader.Value, LeaderEpoch.Value, UncleanEpoch.Value, Ids(Adding), Ids(Removing), Nonce, PartitionEpoch),
        RecordJson.Default.PartitionDocument);

    /// <exception cref="InvalidDataException">The document is not a partition record.</exception>
    public static PartitionRecord Parse(ReadOnlySpan<byte> document)
    {
        var read = RecordJson.Parse(document, RecordJson.Default.PartitionDocument, "partition");
        return new()
        {
            Replicas = Brokers(read.Replicas),
            InSync = Members(read.InSync),
            Eligible = Members(read.Eligible),
            Leader = new(read.Leader),
            LeaderEpoch = new(read.LeaderEpoch),
            UncleanEpoch = new(read.UncleanEpoch),
            Adding = Brokers(read.Adding),
            Removing = Brokers(read.Removing),
            Nonce = read.Nonce,
            PartitionEpoch = read.PartitionEpoch,
        };
    }

    public override string ToString() =>
        $"leader {Leader} epoch {LeaderEpoch} isr [{Join(InSync)}] eligible [{Join(Eligible)}] replicas [{string.Join(' ', Replicas)}]"
        + (Adding.IsEmpty && Removing.IsEmpty ? "" : $" adding [{string.Join(' ', Adding)}] removing [{string.Join(' ', Removing)}]")
        + $" nonce {Nonce}";

    private static string Join(ImmutableArray<InSyncReplica> members) =>
        string.Join(' ', members.Select(member => $"{member.Broker}@{member.BrokerEpoch}"));

    private static InSyncReplica? Find(ImmutableArray<InSyncReplica> members, BrokerId broker)
    {
        foreach (var member in members)
            if (member.Broker == broker) return member;
        return null;
    }

    private static int[] Ids(ImmutableArray<BrokerId> brokers) => [.. brokers.Select(broker => broker.Value)];

    private static long[][] Pairs(ImmutableArray<InSyncReplica> members) =>
        [.. members.Select(member => (long[])[member.Broker.Value, member.BrokerEpoch])];

    private static ImmutableArray<BrokerId> Brokers(int[] ids) => [.. ids.Select(id => new BrokerId(id))];

    private static ImmutableArray<InSyncReplica> Members(long[][] pairs) =>
        [.. pairs.Select(pair => new InSyncReplica(new BrokerId((int)pair[0]), pair[1]))];
}
