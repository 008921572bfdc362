using System.Globalization;

namespace OrleansLog.Protocol.Wire;

/// <summary>
/// Bytes that cannot be the message they claim to be: they end too soon, a length or count is out of range, or a
/// null stands where none may. Thrown by <see cref="WireReader"/> alone; the peer is at fault, and its connection
/// should be closed with this message in the log.
/// </summary>
public sealed class MalformedMessageException : Exception
{
    public MalformedMessageException(string field, int position, string problem)
        : base(string.Create(CultureInfo.InvariantCulture, $"Malformed {field} at byte {position}: {problem}."))
    {
        Field = field;
        Position = position;
    }

    /// <summary>The kind of field that was being read, such as "string" or "array count".</summary>
    public string Field { get; }

    /// <summary>Where that field starts, in bytes from the start of what the reader was given.</summary>
    public int Position { get; }
}
