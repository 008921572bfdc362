using OrleansLog.Protocol;

namespace OrleansLog.Simulation.Checking;

/// <summary>Goes through one history once. See <see cref="AnomalyKind"/>.</summary>
internal sealed class AnomalyFinder
{
    private readonly List<Anomaly> _found = [];
    private readonly Dictionary<(LeaderEpoch Branch, Offset Offset), long> _values = [];
    private readonly Dictionary<long, Offset> _offsets = [];
    private readonly HashSet<long> _committed = [];
    private readonly HashSet<long> _polled = [];
    private readonly Dictionary<(int Producer, LeaderEpoch Branch), Offset> _lastSent = [];
    private readonly Dictionary<int, SortedList<Offset, long>> _views = [];
    private readonly List<(int Consumer, LeaderEpoch Branch, Offset After, Offset Next, Offset DeletedBefore)> _jumps = [];
    private readonly List<(LeaderEpoch Branch, Offset Offset, long Value)> _acknowledged = [];
    private readonly Dictionary<LeaderEpoch, (LeaderEpoch Parent, Offset At)> _forks = [];
    private readonly Dictionary<LeaderEpoch, Offset> _deletedBefore = [];
    private LeaderEpoch _last = LeaderEpoch.None;
    private Offset _polledTo = Offset.None;

    public IEnumerable<Anomaly> Find(IReadOnlyList<HistoryEvent> events)
    {
        if (events.Count > 0) _last = events.Max(e => e.Branch);
        foreach (var e in events) Take(e);
        foreach (var jump in _jumps) CheckSkip(jump);
        foreach (var (branch, offset, value) in _acknowledged.Where(IsInLast)) CheckSeen(offset, value);
        return _found;
    }

    private void Take(HistoryEvent e)
    {
        switch (e.Kind)
        {
            case HistoryEventKind.Deleted: _deletedBefore[e.Branch] = Offset.Max(DeletedBefore(e.Branch), e.Offset); return;
            case HistoryEventKind.Forked: TakeFork(e.Branch, new((int)e.Value), e.Offset); return;
            case HistoryEventKind.SetBack: TakeSetBack(e); return;
            case HistoryEventKind.Committed: _committed.Add(e.Value); break;
            case HistoryEventKind.Acknowledged: TakeSend(e); break;
            case HistoryEventKind.Polled: TakePoll(e); break;
        }

        CheckPlace(e);
    }

    private void TakeFork(LeaderEpoch branch, LeaderEpoch parent, Offset at)
    {
        _forks[branch] = (parent, at);
        _deletedBefore[branch] = Offset.Min(DeletedByAncestors(branch), at);
    }

    private void TakeSend(HistoryEvent e)
    {
        _acknowledged.Add((e.Branch, e.Offset, e.Value));
        if (_lastSent.TryGetValue((e.Who, e.Branch), out var last) && e.Offset <= last)
            Add(AnomalyKind.NonMonotonicSend, $"value {e.Value} of producer {e.Who} went to {e.Offset}, after {last}");
        _lastSent[(e.Who, e.Branch)] = e.Offset;
    }

    private void TakePoll(HistoryEvent e)
    {
        _polled.Add(e.Value);
        if (Origin(_last, e.Offset) == Origin(e.Branch, e.Offset)) _polledTo = Offset.Max(_polledTo, e.Offset);
        if (!_committed.Contains(e.Value))
            Add(AnomalyKind.PrecommittedRead, $"consumer {e.Who} got value {e.Value} at {e.Offset}, which was not committed then");
        if (LastPolled(e) is { } last)
        {
            if (e.Offset <= last) Add(AnomalyKind.NonMonotonicPoll, $"consumer {e.Who} got {e.Offset} after {last}");
            else if (e.Offset > last + 1) _jumps.Add((e.Who, e.Branch, last, e.Offset, DeletedBefore(e.Branch)));
        }

        View(e.Who)[e.Offset] = e.Value;
    }

    // It must not forget what it got and what is still there.
    private void TakeSetBack(HistoryEvent e)
    {
        var view = View(e.Who);
        foreach (var offset in view.Keys.Where(offset => offset >= e.Offset && !IsIn(e.Branch, offset, view[offset])).ToList()) view.Remove(offset);
    }

    // What it got in another branch counts as far as it is in this one.
    private Offset? LastPolled(HistoryEvent e)
    {
        var view = View(e.Who);
        for (var i = view.Count - 1; i >= 0; i--)
            if (IsIn(e.Branch, view.GetKeyAtIndex(i), view.GetValueAtIndex(i))) return view.GetKeyAtIndex(i);
        return view.Count > 0 ? Offset.None : null;
    }

    private SortedList<Offset, long> View(int consumer) =>
        _views.TryGetValue(consumer, out var view) ? view : _views[consumer] = [];

    private bool IsIn(LeaderEpoch branch, Offset offset, long value) =>
        _values.TryGetValue((Origin(branch, offset), offset), out var there) && there == value;

    private void CheckPlace(HistoryEvent e)
    {
        var place = (Origin(e.Branch, e.Offset), e.Offset);
        if (!_values.TryAdd(place, e.Value) && _values[place] != e.Value)
            Add(AnomalyKind.InconsistentOffsets, $"offset {e.Offset} has had the values {_values[place]} and {e.Value}");
        if (!_offsets.TryAdd(e.Value, e.Offset) && _offsets[e.Value] != e.Offset && !WasDeleted(e))
            Add(AnomalyKind.Duplicate, $"value {e.Value} has had the offsets {_offsets[e.Value]} and {e.Offset}");
    }

    // A replica that begins where deletion ended cannot know who wrote what was deleted, nor know it again.
    private bool WasDeleted(HistoryEvent e) => Offset.Min(_offsets[e.Value], e.Offset) < DeletedBefore(e.Branch);

    private void CheckSkip((int Consumer, LeaderEpoch Branch, Offset After, Offset Next, Offset DeletedBefore) jump)
    {
        for (var offset = Offset.Max(jump.After + 1, jump.DeletedBefore); offset < jump.Next; offset += 1)
        {
            if (!_values.ContainsKey((Origin(jump.Branch, offset), offset))) continue;
            Add(AnomalyKind.PollSkip, $"consumer {jump.Consumer} got {jump.Next} after {jump.After} and not {offset}");
            return;
        }
    }

    private void CheckSeen(Offset offset, long value)
    {
        if (_polled.Contains(value) || offset < DeletedBefore(_last)) return;
        if (offset < _polledTo) Add(AnomalyKind.LostWrite, $"value {value} was acknowledged at {offset}; nobody got it, though somebody got {_polledTo}");
        else Add(AnomalyKind.Unseen, $"value {value} was acknowledged at {offset}, and nobody got it");
    }

    private bool IsInLast((LeaderEpoch Branch, Offset Offset, long Value) each) => Origin(each.Branch, each.Offset) == Origin(_last, each.Offset);

    // The branch in which an offset of a branch was committed first.
    private LeaderEpoch Origin(LeaderEpoch branch, Offset offset)
    {
        while (_forks.TryGetValue(branch, out var fork) && offset < fork.At) branch = fork.Parent;
        return branch;
    }

    // The leader that begins a branch may have its log from any of those before.
    private Offset DeletedByAncestors(LeaderEpoch branch) =>
        _forks.TryGetValue(branch, out var fork) ? Offset.Max(DeletedBefore(fork.Parent), DeletedByAncestors(fork.Parent)) : Offset.Zero;

    private Offset DeletedBefore(LeaderEpoch branch) => _deletedBefore.GetValueOrDefault(branch, Offset.Zero);

    private void Add(AnomalyKind kind, string message) => _found.Add(new(kind, message));
}
