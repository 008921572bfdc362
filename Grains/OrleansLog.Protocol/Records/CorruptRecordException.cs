namespace OrleansLog.Protocol.Records;

/// <summary>
/// Bytes that should be record batches or records are not. The message says what is wrong; the kind of error to answer
/// with is <see cref="ErrorCode.CorruptMessage"/>.
/// </summary>
public sealed class CorruptRecordException : Exception
{
    /// <param name="problem">What is wrong, as a sentence without its full stop.</param>
    /// <param name="position">See <see cref="Position"/>.</param>
    public CorruptRecordException(string problem, long position)
        : base($"{problem} (at byte {position}).") => Position = position;

    /// <inheritdoc cref="CorruptRecordException(string, long)"/>
    public CorruptRecordException(string problem, long position, Exception innerException)
        : base($"{problem} (at byte {position}).", innerException) => Position = position;

    /// <summary>Where in the buffer that was being read the fault begins, in bytes from its start.</summary>
    public long Position { get; }
}
