using OrleansLog.Protocol;
using OrleansLog.Simulation.World;

namespace OrleansLog.Simulation.Checking;

/// <summary>
/// Everything that was ever committed. An unclean election begins another branch with what its leader has of the one
/// before; a deposed leader that does not know of it goes on in its own branch. Nothing is ever taken from a branch.
/// </summary>
public sealed class Ledger
{
    private readonly List<LedgerBranch> _branches = [new(LeaderEpoch.None, null)];
    private readonly Dictionary<BatchId, List<(Offset Offset, long Value)>> _records = [];
    private readonly Dictionary<BatchId, LeaderEpoch> _committedBy = [];

    private readonly Dictionary<BatchId, List<(Offset Offset, long Value)>> _contents = [];

    private readonly SortedDictionary<(LeaderEpoch Epoch, Offset Base), BatchId> _originals = [];

    /// <summary>Somebody has a batch, whatever becomes of it.</summary>
    /// <returns>The batches as they were appended that it is, or that compaction has made it of.</returns>
    public IReadOnlyList<BatchId> Learn(BatchId batch, ReadOnlySpan<byte> bytes)
    {
        if (_contents.ContainsKey(batch)) return [batch];
        if (IsCompacted && FindOriginals(batch) is { Count: > 0 } originals) return originals;
        _contents[batch] = Records.Read(bytes);
        _originals.TryAdd((batch.Epoch, batch.Base), batch);
        return [batch];
    }

    private List<BatchId> FindOriginals(BatchId batch)
    {
        var found = new List<BatchId>();
        foreach (var original in _originals.Values.Where(original => original.Epoch == batch.Epoch && original.Base < batch.Next && original.Next > batch.Base))
            if (found.Count == 0 ? original.Base <= batch.Base : original.Base == found[^1].Next) found.Add(original);
        // Others of the same place and leadership are for the invariants to find.
        return found.Count > 0 && found[^1].Next == batch.Next ? found : [];
    }

    /// <summary>Whether the topic is compacted.</summary>
    public bool IsCompacted { get; set; }

    public IReadOnlyList<(Offset Offset, long Value)> ContentOf(BatchId batch) => _contents[batch];

    /// <summary>The branch of the last leadership.</summary>
    public LedgerBranch Current => _branches[^1];

    /// <summary>The branch that a leadership goes on with.</summary>
    public LedgerBranch Of(LeaderEpoch epoch) => _branches.FindLast(branch => branch.Since <= epoch)!;

    /// <summary>An unclean election was won. The branch stands for certain when its leader begins to lead.</summary>
    public void Fork(LeaderEpoch since, SimBroker leader)
    {
        var branch = new LedgerBranch(since, _branches.FindLast(each => each.IsCertain));
        _branches.Add(branch);
        Fill(branch, leader, Offset.Zero);
    }

    /// <summary>The first leader of a branch leads: what it has is what there is.</summary>
    public void Confirm(LedgerBranch branch, SimBroker leader, Offset highWatermark)
    {
        branch.Clear();
        Fill(branch, leader, highWatermark);
        branch.IsCertain = true;
    }

    /// <summary>The leadership that committed a batch. One that was given before, and began later, need not have it.</summary>
    public LeaderEpoch CommittedBy(BatchId batch) => _committedBy[batch];

    public void Add(LedgerBranch branch, LeaderEpoch leadership, BatchId batch, List<(Offset, long)> records)
    {
        _committedBy.TryAdd(batch, leadership);
        _records.TryAdd(batch, records);
        branch.Add(batch, records);
    }

    private void Fill(LedgerBranch branch, SimBroker leader, Offset highWatermark)
    {
        var log = leader.Replica?.Log;
        var end = log?.LogEndOffset ?? leader.Shadow.End;
        var start = log?.LogStartOffset ?? leader.Shadow.Start;
        bool IsShared(BatchId batch) => batch.Next <= end && branch.Parent.IsSafeAt(leader, batch) && !leader.Shadow.HasOtherThan(batch, start);
        foreach (var batch in branch.Parent!.Batches.TakeWhile(IsShared)) branch.Add(batch, _records[batch]);
        branch.Begin(log?.LogStartOffset ?? Offset.Zero);
        // What it knows as committed from another branch stays so.
        foreach (var batch in leader.Shadow.Batches.Where(batch => batch.Base >= branch.End && batch.Next <= highWatermark && _records.ContainsKey(batch)))
            branch.Add(batch, _records[batch]);
    }
}

/// <summary>What is committed as one line of leaderships sees it.</summary>
/// <param name="since">The unclean leadership that began it; none for the first.</param>
/// <param name="parent">The branch that it began from.</param>
public sealed class LedgerBranch(LeaderEpoch since, LedgerBranch? parent)
{
    private readonly List<BatchId> _batches = [];
    private readonly Dictionary<Offset, long> _values = [];
    private readonly Dictionary<int, Offset> _lastOfKeys = [];
    private Offset _start;

    public LeaderEpoch Since => since;

    public LedgerBranch? Parent => parent;

    /// <summary>Whether somebody has led in it.</summary>
    public bool IsCertain { get; internal set; } = parent is null;

    /// <summary>From here on it is not its parent's.</summary>
    public Offset ForkedAt { get; private set; }

    /// <summary>Committed records before this offset were deleted at somebody's request: nobody need have them.</summary>
    public Offset DeletedBefore { get; set; } = Offset.Zero;

    /// <summary>Everything before this offset that is not deleted is in the remote store, and need not be on a disk.</summary>
    public Offset StoredTo { get; set; } = Offset.Zero;

    /// <summary>Before this offset a log need not have anything.</summary>
    public Offset MayStartAt => Offset.Max(DeletedBefore, StoredTo);

    public IReadOnlyList<BatchId> Batches => _batches;

    public Offset End => _batches.Count == 0 ? _start : Offset.Max(_start, _batches[^1].Next);

    /// <summary>The value that is committed at an offset; -1 when nothing is.</summary>
    public long ValueAt(Offset offset) => _values.GetValueOrDefault(offset, -1);

    /// <summary>Where each key of a compacted topic is last, as far as that is committed.</summary>
    public IReadOnlyDictionary<int, Offset> LastOfKeys => _lastOfKeys;

    /// <summary>Whether compaction may have removed what is committed at an offset.</summary>
    public bool MayBeGone(Offset offset) =>
        offset < DeletedBefore || (_values.TryGetValue(offset, out var value) && (Records.IsTombstone(value) || _lastOfKeys[Records.KeyOf(value)] > offset));

    /// <summary>Whether a broker has a committed batch as it should.</summary>
    public bool IsSafeAt(SimBroker broker, BatchId batch) =>
        batch.Next <= DeletedBefore
        || (batch.Next <= StoredTo && batch.Next <= (broker.Replica?.Log.LogStartOffset ?? broker.Shadow.Start))
        || broker.Shadow.HoldsOrRefuses(batch);

    // The leader that begins this branch may have its log from any of them.
    private Offset DeletedByAncestors => parent is null ? Offset.Zero : Offset.Max(parent.DeletedBefore, parent.DeletedByAncestors);

    internal void Clear()
    {
        _batches.Clear();
        _values.Clear();
        _lastOfKeys.Clear();
    }

    // A log that starts further on, at a deletion amid a batch, has nothing before.
    internal void Begin(Offset logStart)
    {
        _start = Offset.Zero;
        _start = logStart <= DeletedByAncestors ? Offset.Max(End, logStart) : End;
        ForkedAt = End;
        DeletedBefore = Offset.Min(DeletedByAncestors, End);
    }

    internal void Add(BatchId batch, List<(Offset Offset, long Value)> records)
    {
        _batches.Add(batch);
        foreach (var (offset, value) in records)
        {
            _values[offset] = value;
            if (value >= 0) _lastOfKeys[Records.KeyOf(value)] = offset;
        }
    }
}
