using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ArmAes = System.Runtime.Intrinsics.Arm.Aes;

namespace OrleansLog.Protocol;

/// <summary>
/// CRC-32C (Castagnoli, RFC 3720 section 12.1): the checksum of a record batch. It runs on the CPU's CRC instruction
/// where there is one. That instruction takes about three cycles but a new one can start in each, so long inputs are
/// read as three lanes at once, whose checksums are joined by a carry-less multiplication (V. Gopal et al., "Fast CRC
/// Computation for iSCSI Polynomial Using CRC32 Instruction", Intel, 2011).
/// </summary>
public static class Crc32C
{
    private const int LongLaneBytes = 4096;
    private const int ShortLaneBytes = 256;

    /// <summary>The checksum of <paramref name="source"/>. Any thread.</summary>
    public static uint Compute(ReadOnlySpan<byte> source) => Append(0, source);

    /// <summary>
    /// The checksum of all bytes up to and including <paramref name="source"/>, where <paramref name="crc"/> is that of
    /// the bytes before it (0 if there are none).
    /// </summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> source)
    {
        var state = ~crc;
        if (CanJoinLanes)
        {
            state = ReadLanes(state, ref source, LongLaneBytes, PowerOfTwoLongLanes, PowerOfOneLongLane);
            state = ReadLanes(state, ref source, ShortLaneBytes, PowerOfTwoShortLanes, PowerOfOneShortLane);
        }
        return ~ReadInOneLane(state, source);
    }

    // Moving a checksum past n bytes multiplies it by x^8n. The product of two reflected numbers comes out one place
    // too high, and reducing it by the CRC instruction multiplies by x^32 more: hence these are x^(8n-33).
    private const uint PowerOfOneShortLane = 0xb9e02b86;
    private const uint PowerOfTwoShortLanes = 0xdd7e3b0c;
    private const uint PowerOfOneLongLane = 0x82f89c77;
    private const uint PowerOfTwoLongLanes = 0x54a86326;

    private static bool CanJoinLanes => (Sse42.X64.IsSupported && Pclmulqdq.IsSupported) || ArmAes.IsSupported;

    private static uint ReadLanes(
        uint state, ref ReadOnlySpan<byte> source, int laneBytes, uint powerOfTwoLanes, uint powerOfOneLane)
    {
        while (source.Length >= 3 * laneBytes)
        {
            ref var start = ref MemoryMarshal.GetReference(source);
            uint second = 0, third = 0;
            for (nint i = 0; i < laneBytes; i += sizeof(ulong))
            {
                state = BitOperations.Crc32C(state, ReadWord(ref start, i));
                second = BitOperations.Crc32C(second, ReadWord(ref start, i + laneBytes));
                third = BitOperations.Crc32C(third, ReadWord(ref start, i + 2 * (nint)laneBytes));
            }
            var joined = Multiply(state, powerOfTwoLanes) ^ Multiply(second, powerOfOneLane);
            state = BitOperations.Crc32C(0u, joined) ^ third;
            source = source[(3 * laneBytes)..];
        }
        return state;
    }

    private static uint ReadInOneLane(uint state, ReadOnlySpan<byte> source)
    {
        while (source.Length >= sizeof(ulong))
        {
            state = BitOperations.Crc32C(state, BinaryPrimitives.ReadUInt64LittleEndian(source));
            source = source[sizeof(ulong)..];
        }
        foreach (var value in source)
        {
            state = BitOperations.Crc32C(state, value);
        }
        return state;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong ReadWord(ref byte start, nint position) =>
        Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, position));

    private static ulong Multiply(uint state, uint power) => Pclmulqdq.IsSupported
        ? Pclmulqdq.CarrylessMultiply(Vector128.CreateScalar((ulong)state), Vector128.CreateScalar((ulong)power), 0)[0]
        : ArmAes.PolynomialMultiplyWideningLower(
            Vector64.CreateScalar((ulong)state), Vector64.CreateScalar((ulong)power))[0];
}
