using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Simulation.World;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Simulation.Checking;

/// <summary>
/// What the manifest names is in the store, whole, and is what was committed, without a gap and without anything lost that
/// nobody has deleted; it only ever belongs to later leaderships. No disk is freed of anything else.
/// </summary>
public sealed class TieringInvariant() : Checker("12 tiering")
{
    private readonly HashSet<string> _checked = new(StringComparer.Ordinal);
    private RemoteManifest _manifest = RemoteManifest.Empty;

    /// <summary>What is in the store and the manifest does not name.</summary>
    public IEnumerable<string> Orphans() => Cluster.Store.Names.Where(name => !name.EndsWith(".json", StringComparison.Ordinal)
        && !_manifest.Segments.Any(segment => name == segment.Name || name == segment.IndexName)
        && !_manifest.Garbage.Any(garbage => name == garbage.Name || name == garbage.Name + RemoteSegment.IndexSuffix));

    public override void OnStored(string name, ReadOnlyMemory<byte> content)
    {
        if (!name.EndsWith("manifest.json", StringComparison.Ordinal)) return;
        var manifest = RemoteManifest.Parse(content.Span, name);
        var ledger = Cluster.Ledger.Current;
        Require(manifest.LeaderEpoch >= _manifest.LeaderEpoch, $"the manifest of epoch {_manifest.LeaderEpoch} was replaced by one of {manifest.LeaderEpoch}");
        Require(manifest.LogStartOffset <= ledger.DeletedBefore, $"the manifest begins at {manifest.LogStartOffset}, and only what lies before {ledger.DeletedBefore} was deleted");
        var end = Offset.Max(manifest.End, manifest.LogStartOffset);
        Require(end >= ledger.StoredTo, $"the manifest ends at {end}, and reached to {ledger.StoredTo}");
        for (var i = 0; i < manifest.Segments.Length; i++) CheckSegment(manifest, i);
        _manifest = manifest;
        ledger.StoredTo = Offset.Max(ledger.StoredTo, end);
    }

    public override void OnDeletedFromStore(string name) =>
        Require(!_manifest.Segments.Any(segment => segment.Name == name || segment.IndexName == name), $"{name} was deleted, which the manifest names");

    public override void AfterEvent()
    {
        if (Cluster.Profile.Tiering is null) return;
        foreach (var broker in Cluster.Brokers)
            if (broker.Replica?.Log.LogStartOffset > Cluster.Ledger.Current.MayStartAt)
                Require(false, $"broker {broker.Id} has freed its disk up to {broker.Replica.Log.LogStartOffset}; {Cluster.Ledger.Current.DeletedBefore} was asked for, {Cluster.Ledger.Current.StoredTo} is in the store");
    }

    private void CheckSegment(RemoteManifest manifest, int number)
    {
        var segment = manifest.Segments[number];
        if (number > 0) Require(segment.BaseOffset == manifest.Segments[number - 1].NextOffset, $"the manifest has a gap before {segment.BaseOffset}");
        else Require(segment.BaseOffset <= Offset.Max(manifest.LogStartOffset, Offset.Zero), $"the manifest begins at {manifest.LogStartOffset} and its first segment at {segment.BaseOffset}");
        if (!_checked.Add(segment.Name)) return;
        Require(Cluster.Store.Peek(segment.IndexName) is not null, $"{segment.IndexName} is missing");
        if (Cluster.Store.Peek(segment.Name) is { } bytes) CheckRecords(segment, bytes.Span);
        else Require(false, $"{segment.Name} is missing");
    }

    private void CheckRecords(RemoteSegment segment, ReadOnlySpan<byte> bytes)
    {
        var next = segment.BaseOffset;
        foreach (var (offset, value) in Records.Read(bytes))
        {
            Require(offset == next, $"{segment.Name} has offset {offset} where {next} is due");
            Require(Cluster.Ledger.Current.ValueAt(offset) == value, $"{segment.Name} has {value} at {offset}, where {Cluster.Ledger.Current.ValueAt(offset)} is committed");
            next = offset + 1;
        }

        Require(next == segment.NextOffset, $"{segment.Name} ends at {next} and not at {segment.NextOffset}");
    }
}
