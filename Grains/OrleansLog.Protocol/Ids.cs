using System.Globalization;

namespace OrleansLog.Protocol;

/// <summary>
/// The position of a record in its partition: 0 for the first one ever written, one more for each that follows.
/// Offsets are never reused, whatever is deleted.
/// </summary>
public readonly record struct Offset(long Value) : IComparable<Offset>
{
    /// <summary>The first offset of every partition.</summary>
    public static readonly Offset Zero = new(0);

    /// <summary>Kafka's "no such offset" (-1).</summary>
    public static readonly Offset None = new(-1);

    public int CompareTo(Offset other) => Value.CompareTo(other.Value);

    public static bool operator <(Offset left, Offset right) => left.Value < right.Value;
    public static bool operator >(Offset left, Offset right) => left.Value > right.Value;
    public static bool operator <=(Offset left, Offset right) => left.Value <= right.Value;
    public static bool operator >=(Offset left, Offset right) => left.Value >= right.Value;
    public static Offset operator +(Offset offset, long count) => new(offset.Value + count);
    public static Offset operator -(Offset offset, long count) => new(offset.Value - count);

    /// <summary>The number of offsets from <paramref name="right"/> (inclusive) to <paramref name="left"/> (exclusive).</summary>
    public static long operator -(Offset left, Offset right) => left.Value - right.Value;

    public static Offset Min(Offset a, Offset b) => a < b ? a : b;
    public static Offset Max(Offset a, Offset b) => a > b ? a : b;

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>
/// Counts the leaderships of one partition. Each new leader writes a higher one, so that a reader or a follower can
/// tell a stale leader from the present one (KIP-101, KIP-320).
/// </summary>
public readonly record struct LeaderEpoch(int Value) : IComparable<LeaderEpoch>
{
    public static readonly LeaderEpoch Zero = new(0);

    /// <summary>Kafka's "epoch not known" (-1).</summary>
    public static readonly LeaderEpoch None = new(-1);

    public int CompareTo(LeaderEpoch other) => Value.CompareTo(other.Value);

    public static bool operator <(LeaderEpoch left, LeaderEpoch right) => left.Value < right.Value;
    public static bool operator >(LeaderEpoch left, LeaderEpoch right) => left.Value > right.Value;
    public static bool operator <=(LeaderEpoch left, LeaderEpoch right) => left.Value <= right.Value;
    public static bool operator >=(LeaderEpoch left, LeaderEpoch right) => left.Value >= right.Value;

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Names a broker for as long as its data directory lives. Zero or positive.</summary>
public readonly record struct BrokerId(int Value)
{
    /// <summary>Kafka's "no broker" (-1), as in "this partition has no leader".</summary>
    public static readonly BrokerId None = new(-1);

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>One partition of one topic. The partition index counts from 0.</summary>
public readonly record struct TopicPartition(string Topic, int Partition)
{
    /// <summary>The form that people and directories use: <c>orders-3</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Topic}-{Partition}");
}
