using System.Buffers.Binary;

namespace OrleansLog.Protocol;

/// <summary>
/// The hash by which Kafka's clients spread keys over partitions: Austin Appleby's 32-bit MurmurHash2
/// (https://github.com/aappleby/smhasher) with Kafka's seed. Java, kafkajs and franz-go put a key where
/// <see cref="PartitionFor"/> says; librdkafka does with <c>partitioner=murmur2_random</c>.
/// </summary>
public static class Murmur2
{
    private const uint Seed = 0x9747b28c;
    private const uint Multiplier = 0x5bd1e995;
    private const int Shift = 24;

    public static int Compute(ReadOnlySpan<byte> key)
    {
        var hash = Seed ^ (uint)key.Length;
        for (; key.Length >= sizeof(uint); key = key[sizeof(uint)..])
        {
            var word = BinaryPrimitives.ReadUInt32LittleEndian(key) * Multiplier;
            hash = (hash * Multiplier) ^ ((word ^ (word >> Shift)) * Multiplier);
        }
        if (key.Length > 0)
        {
            hash = (hash ^ ReadTail(key)) * Multiplier;
        }
        hash = (hash ^ (hash >> 13)) * Multiplier;
        return (int)(hash ^ (hash >> 15));
    }

    /// <summary>Clears the sign bit, which is not the same as the absolute value.</summary>
    public static int ToPositive(int hash) => hash & int.MaxValue;

    /// <summary>The partition of a key in a topic of <paramref name="partitionCount"/> partitions (above 0).</summary>
    public static int PartitionFor(ReadOnlySpan<byte> key, int partitionCount) =>
        ToPositive(Compute(key)) % partitionCount;

    private static uint ReadTail(ReadOnlySpan<byte> tail)
    {
        uint word = 0;
        for (var i = 0; i < tail.Length; i++)
        {
            word |= (uint)tail[i] << (8 * i);
        }
        return word;
    }
}
