using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace OrleansLog.Storage.Compaction;

/// <summary>What stands for a key: the one half says where to look, the other what to look for.</summary>
internal readonly record struct KeyHash(ulong Place, ulong Fingerprint);

/// <summary>
/// SipHash-2-4 with 128 bits (J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input PRF"): nobody without the seed
/// can make two keys that collide.
/// </summary>
internal readonly struct KeyHasher((ulong, ulong) seed)
{
    private readonly (ulong, ulong) _seed = seed;

    public KeyHash Hash(ReadOnlySpan<byte> key)
    {
        var v0 = _seed.Item1 ^ 0x736f6d6570736575;
        var v1 = _seed.Item2 ^ 0x646f72616e646f6d ^ 0xee;
        var v2 = _seed.Item1 ^ 0x6c7967656e657261;
        var v3 = _seed.Item2 ^ 0x7465646279746573;
        var last = (ulong)key.Length << 56;
        for (; key.Length >= sizeof(ulong); key = key[sizeof(ulong)..])
            Mix(BinaryPrimitives.ReadUInt64LittleEndian(key), ref v0, ref v1, ref v2, ref v3);
        for (var i = 0; i < key.Length; i++) last |= (ulong)key[i] << (8 * i);
        Mix(last, ref v0, ref v1, ref v2, ref v3);
        v2 ^= 0xee;
        for (var i = 0; i < 4; i++) Round(ref v0, ref v1, ref v2, ref v3);
        var first = v0 ^ v1 ^ v2 ^ v3;
        v1 ^= 0xdd;
        for (var i = 0; i < 4; i++) Round(ref v0, ref v1, ref v2, ref v3);
        return new(first, v0 ^ v1 ^ v2 ^ v3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix(ulong word, ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v3 ^= word;
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= word;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v0 += v1;
        v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
        v0 = BitOperations.RotateLeft(v0, 32);
        v2 += v3;
        v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
        v0 += v3;
        v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
        v2 += v1;
        v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
        v2 = BitOperations.RotateLeft(v2, 32);
    }
}
