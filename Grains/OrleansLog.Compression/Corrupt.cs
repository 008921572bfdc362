using System.Diagnostics.CodeAnalysis;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Compression;

/// <summary>The one way in which a decompressor refuses its input; positions count from the start of that input.</summary>
internal static class Corrupt
{
    [DoesNotReturn]
    public static void Throw(string problem, int position) => throw new CorruptRecordException(problem, position);

    [DoesNotReturn]
    public static T Throw<T>(string problem, int position) => throw new CorruptRecordException(problem, position);

    [DoesNotReturn]
    public static void ThrowTruncated(int position) => Throw("The compressed records end in the middle", position);

    [DoesNotReturn]
    public static void ThrowTooLarge(int position) =>
        Throw("The compressed records decode to more than their frame or the caller allows", position);
}
