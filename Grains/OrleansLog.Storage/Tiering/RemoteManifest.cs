using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using OrleansLog.Protocol;

namespace OrleansLog.Storage.Tiering;

/// <summary>
/// What a remote store holds of one partition: the segments that follow one another, and what is to be deleted. Who leads
/// the partition writes it, in its epoch; a change is there for readers once it was written. Immutable.
/// </summary>
/// <param name="LeaderEpoch">The epoch of the leader that wrote it.</param>
/// <param name="LogStartOffset">The first offset that can be read, in the store or after it.</param>
/// <param name="Segments">The segments, oldest first, without a gap.</param>
/// <param name="Garbage">What nobody reads any more, to be deleted once those who began to are done.</param>
public sealed record RemoteManifest(
    LeaderEpoch LeaderEpoch, Offset LogStartOffset, ImmutableArray<RemoteSegment> Segments, ImmutableArray<RemoteGarbage> Garbage)
{
    private const int Format = 1;

    /// <summary>Nothing is in the store, and the log begins where it begins on the disk.</summary>
    public static RemoteManifest Empty { get; } = new(LeaderEpoch.None, Offset.None, [], []);

    /// <summary>
    /// Counts the writes, so that no two are the same: what is there after a write whose answer was lost tells whether it took place,
    /// and one that took place defeats all that were sent before.
    /// </summary>
    public long Revision { get; init; }

    /// <summary>The offset after the last one in the store; none when it holds nothing.</summary>
    public Offset End => Segments.IsEmpty ? Offset.None : Segments[^1].NextOffset;

    /// <summary>Where a log goes on that has nothing of its own: after all that is in the store, or was and has expired.</summary>
    public Offset NextOffset => Offset.Max(Offset.Max(End, LogStartOffset), Offset.Zero);

    /// <summary>The leader epochs of what is in the store, ascending, each with its first offset there.</summary>
    public IEnumerable<EpochStart> Epochs => Segments.SelectMany(segment => segment.Epochs);

    public long SizeInBytes => Segments.Sum(segment => (long)segment.SizeInBytes);

    /// <summary>The segment that holds an offset; null when none does.</summary>
    public RemoteSegment? Find(Offset offset)
    {
        int low = 0, high = Segments.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (Segments[middle].NextOffset <= offset) low = middle + 1;
            else high = middle;
        }

        return low < Segments.Length && Segments[low].BaseOffset <= offset ? Segments[low] : null;
    }

    /// <summary>The same with one more segment, which must follow on the last.</summary>
    public RemoteManifest With(RemoteSegment segment) => !Segments.IsEmpty && segment.BaseOffset != End
        ? throw new ArgumentException($"A segment of offset {segment.BaseOffset} does not follow on {End}.", nameof(segment))
        : this with { Segments = Segments.Add(segment), LogStartOffset = Offset.Max(LogStartOffset, Segments.IsEmpty ? segment.BaseOffset : LogStartOffset) };

    /// <summary>The same with a later start; segments wholly before it become garbage.</summary>
    public RemoteManifest From(Offset start, DateTimeOffset now)
    {
        var dropped = Segments.TakeWhile(segment => segment.NextOffset <= start).ToList();
        return this with
        {
            LogStartOffset = Offset.Max(start, LogStartOffset),
            Segments = Segments.RemoveRange(0, dropped.Count),
            Garbage = Garbage.AddRange(dropped.Select(segment => new RemoteGarbage(segment.Name, now))),
        };
    }

    public byte[] Serialize() => ChecksummedText.Encode(JsonSerializer.Serialize(ToDocument(), ManifestJson.Default.ManifestDocument));

    /// <exception cref="InvalidDataException">The bytes are not what was written, or of a later format.</exception>
    public static RemoteManifest Parse(ReadOnlySpan<byte> bytes, string name)
    {
        var text = ChecksummedText.Decode(bytes)
            ?? throw new InvalidDataException($"'{name}' in the remote store is not what was written there. Nothing is read from it or changed; put back an earlier version.");
        var document = JsonSerializer.Deserialize(text, ManifestJson.Default.ManifestDocument)!;
        return document.Format == Format
            ? FromDocument(document)
            : throw new InvalidDataException($"'{name}' in the remote store has format {document.Format}, and this program reads {Format}: start a newer one.");
    }

    private ManifestDocument ToDocument() => new(
        Format, Revision, LeaderEpoch.Value, LogStartOffset.Value,
        [.. Segments.Select(segment => new SegmentDocument(
            segment.Name, segment.BaseOffset.Value, segment.NextOffset.Value, segment.SizeInBytes, segment.Crc, segment.IndexCrc, segment.MaxTimestampMs,
            [.. segment.Epochs.Select(epoch => new[] { epoch.Epoch.Value, epoch.StartOffset.Value })],
            [.. segment.Aborted.Select(aborted => new[] { aborted.ProducerId, aborted.First.Value, aborted.Marker.Value, aborted.LastStableOffset.Value })]))],
        [.. Garbage.Select(garbage => new GarbageDocument(garbage.Name, garbage.Since.ToUnixTimeMilliseconds()))]);

    private static RemoteManifest FromDocument(ManifestDocument document) => new(
        new(document.LeaderEpoch), new(document.LogStartOffset),
        [.. document.Segments.Select(segment => new RemoteSegment(
            segment.Name, new(segment.BaseOffset), new(segment.NextOffset), segment.SizeInBytes, segment.Crc, segment.IndexCrc, segment.MaxTimestampMs,
            [.. segment.Epochs.Select(epoch => new EpochStart(new((int)epoch[0]), new(epoch[1])))],
            [.. segment.Aborted.Select(aborted => new AbortedTransaction(aborted[0], new(aborted[1]), new(aborted[2]), new(aborted[3])))]))],
        [.. document.Garbage.Select(garbage => new RemoteGarbage(garbage.Name, DateTimeOffset.FromUnixTimeMilliseconds(garbage.SinceMs)))])
    {
        Revision = document.Revision,
    };
}

/// <summary>A segment in the store that nobody reads any more, and since when.</summary>
public readonly record struct RemoteGarbage(string Name, DateTimeOffset Since);

internal sealed record ManifestDocument(int Format, long Revision, int LeaderEpoch, long LogStartOffset, SegmentDocument[] Segments, GarbageDocument[] Garbage);

internal sealed record SegmentDocument(
    string Name, long BaseOffset, long NextOffset, int SizeInBytes, uint Crc, uint IndexCrc, long MaxTimestampMs, long[][] Epochs, long[][] Aborted);

internal sealed record GarbageDocument(string Name, long SinceMs);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(ManifestDocument))]
internal sealed partial class ManifestJson : JsonSerializerContext;
