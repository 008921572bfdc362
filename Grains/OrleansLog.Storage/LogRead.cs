using OrleansLog.Protocol;

namespace OrleansLog.Storage;

/// <summary>What a read found.</summary>
/// <param name="Error">
/// <see cref="ErrorCode.None"/>; <see cref="ErrorCode.OffsetOutOfRange"/>; <see cref="ErrorCode.CorruptMessage"/> with the
/// range in <paramref name="Refused"/>; <see cref="ErrorCode.KafkaStorageError"/> with <paramref name="Failure"/>.
/// </param>
/// <param name="Slice">Whole batches; empty when there is nothing between the asked offset and the limit, or an error.</param>
/// <param name="Refused">The damaged range that the asked offset lies in.</param>
/// <param name="Failure">Why the file could not be read.</param>
public readonly record struct LogRead(
    ErrorCode Error, LogSlice Slice, RefusedRange? Refused = null, IOException? Failure = null)
{
    internal static LogRead Empty => default;
}

/// <summary>
/// Whole record batches in one file, ready to be sent from there. The file stays readable for
/// <see cref="LogOptions.FileDeleteDelayMs"/> after its segment was deleted.
/// </summary>
public readonly record struct LogSlice(ILogFile File, long Position, int Length)
{
    public bool IsEmpty => Length == 0;

    /// <summary>
    /// Copies the slice into <paramref name="destination"/>, as much as fits, and returns the number of bytes copied.
    /// </summary>
    /// <exception cref="StorageException">The file could not be read, or is shorter than the slice.</exception>
    public int Read(Span<byte> destination)
    {
        var length = Math.Min(Length, destination.Length);
        if (length > 0) File.ReadExactly(Position, destination[..length]);
        return length;
    }
}

/// <summary>
/// Bytes that were written and flushed and are no longer what they were. They are never served and never taken for the
/// end of the log; the records before and after them are served.
/// </summary>
/// <param name="File">The path of the segment file.</param>
/// <param name="Position">Where the damage begins in it.</param>
/// <param name="Length">How many bytes are refused; 0 when the bytes are missing.</param>
/// <param name="From">The first offset that is refused.</param>
/// <param name="To">The first offset after the range that can be read again.</param>
/// <param name="Reason">What is wrong with the bytes.</param>
public sealed record RefusedRange(string File, long Position, long Length, Offset From, Offset To, string Reason)
{
    internal const string IsMissing = "its records are missing";

    public override string ToString() =>
        $"{File}: {Length} bytes at {Position} are damaged ({Reason}); offsets {From} to {To - 1L} are refused";
}
