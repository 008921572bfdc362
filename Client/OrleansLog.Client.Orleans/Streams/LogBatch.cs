using Microsoft.Extensions.DependencyInjection;
using Orleans.Providers.Streams.Common;
using Orleans.Runtime;
using Orleans.Serialization;
using Orleans.Streams;

namespace OrleansLog.Client.Orleans.Streams;

/// <summary>
/// The events of one record. Its bytes travel to subscribers as they are; each unpacks events of its own. Immutable.
/// <para>
/// The token of an event is the record's offset and the event's index in it. A subscription begins with the event whose token
/// it gives; the index <see cref="AfterLast"/> stands for the place behind all events of a record.
/// </para>
/// </summary>
[GenerateSerializer, Immutable, SerializationCallbacks(typeof(OnDeserializedCallbacks))]
internal sealed record LogBatch : IBatchContainer, IOnDeserialized
{
    /// <summary>The event index of a token that says that the whole record was delivered.</summary>
    public const int AfterLast = int.MaxValue;

    [NonSerialized]
    private Serializer? _serializer;

    public LogBatch(StreamId streamId, long offset, Serializer serializer) => (StreamId, Offset, _serializer) = (streamId, offset, serializer);

    [Id(0)]
    public StreamId StreamId { get; init; }

    [Id(1)]
    public long Offset { get; init; }

    /// <summary>The index in the token of the batch.</summary>
    [Id(2)]
    public int TokenIndex { get; init; }

    /// <summary>The first event to hand out.</summary>
    [Id(3)]
    public int FirstIndex { get; init; }

    /// <summary>An array of objects as Orleans serializes it, or the one event itself; none if null.</summary>
    [Id(4)]
    public byte[]? Events { get; init; }

    /// <summary>Whether <see cref="Events"/> was not written by a stream provider: it is then one event of type <c>byte[]</c>.</summary>
    [Id(5)]
    public bool IsForeign { get; init; }

    /// <summary>The publisher's request context as Orleans serializes it, or null.</summary>
    [Id(6)]
    public byte[]? Context { get; init; }

    public StreamSequenceToken SequenceToken => new EventSequenceTokenV2(Offset, TokenIndex);

    /// <summary>About what it occupies, in bytes.</summary>
    public int SizeInBytes => 200 + (Events?.Length ?? 0) + (Context?.Length ?? 0);

    /// <summary>The batch as it is delivered, from one of its events on. Its token says that after it nothing is left of the record.</summary>
    public LogBatch From(int index) => this with { FirstIndex = index, TokenIndex = AfterLast };

    public IEnumerable<Tuple<T, StreamSequenceToken>> GetEvents<T>()
    {
        var events = Unpack();
        for (var i = FirstIndex; i < events.Length; i++)
        {
            if (events[i] is T item) yield return Tuple.Create<T, StreamSequenceToken>(item, new EventSequenceTokenV2(Offset, i));
        }
    }

    public bool ImportRequestContext()
    {
        if (Context is null) return false;
        foreach (var (name, value) in _serializer!.Deserialize<Dictionary<string, object>>(Context)!) RequestContext.Set(name, value);
        return true;
    }

    void IOnDeserialized.OnDeserialized(DeserializationContext context) =>
        _serializer = context.ServiceProvider.GetRequiredService<Serializer>();

    private object?[] Unpack()
    {
        if (Events is null) return [];
        return IsForeign ? [Events] : _serializer!.Deserialize<object?[]>(Events)!;
    }
}
