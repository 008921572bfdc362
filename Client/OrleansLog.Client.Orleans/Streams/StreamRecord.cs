using Orleans.Runtime;
using Orleans.Serialization;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Client.Orleans.Streams;

/// <summary>
/// How the events of a stream are a record. The key is the stream's: <c>key</c>, or <c>namespace/key</c> where there is a
/// namespace. A header says that the value is an array of events; records of other producers carry one event, their value.
/// </summary>
internal static class StreamRecord
{
    private const byte Separator = (byte)'/';
    private const string EventsHeader = "orleans.events";
    private const string ContextHeader = "orleans.context";

    /// <exception cref="ArgumentException">The namespace has a slash.</exception>
    public static byte[] KeyOf(StreamId stream)
    {
        if (stream.Namespace.Span.Contains(Separator))
            throw new ArgumentException($"The stream '{stream}' has a namespace with a slash, which ends the namespace in a record's key. Use another character.");
        return stream.Namespace.IsEmpty && !stream.Key.Span.Contains(Separator)
            ? stream.Key.ToArray()
            : [.. stream.Namespace.Span, Separator, .. stream.Key.Span];
    }

    /// <summary>Whether a record belongs to a stream, and to which: those without a key do not.</summary>
    public static bool TryReadStream(ReadOnlySpan<byte> key, out StreamId stream)
    {
        var separator = key.IndexOf(Separator);
        var name = separator < 0 ? key : key[(separator + 1)..];
        stream = name.IsEmpty ? default : StreamId.Create(separator < 0 ? [] : key[..separator], name);
        return !name.IsEmpty;
    }

    /// <summary>The headers of a record that <see cref="Read"/> takes apart.</summary>
    public static RecordHeader[] HeadersFor(byte[]? context) => context is null
        ? [new(EventsHeader, default(ReadOnlyMemory<byte>))]
        : [new(EventsHeader, default(ReadOnlyMemory<byte>)), new(ContextHeader, context)];

    /// <summary>Copies a record's events out of its fetch.</summary>
    public static LogBatch Read(in RecordView record, StreamId stream, Serializer serializer)
    {
        var isForeign = true;
        byte[]? context = null;
        foreach (var header in record.Headers)
        {
            if (header.KeyUtf8.SequenceEqual("orleans.events"u8)) isForeign = false;
            else if (header.KeyUtf8.SequenceEqual("orleans.context"u8)) context = header.Value.ToArray();
        }
        return new LogBatch(stream, record.Offset.Value, serializer)
        {
            Events = record.ValueIsNull ? null : record.Value.ToArray(),
            IsForeign = isForeign,
            Context = context,
        };
    }
}
