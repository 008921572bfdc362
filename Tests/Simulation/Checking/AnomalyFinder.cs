using OrleansLog.Protocol;

namespace OrleansLog.Simulation.Checking;

/// <summary>Goes through one history once. See <see cref="AnomalyKind"/>.</summary>
internal sealed class AnomalyFinder
{
    private readonly List<Anomaly> _found = [];
    private readonly Dictionary<Offset, long> _values = [];
    private readonly Dictionary<long, Offset> _offsets = [];
    private readonly HashSet<long> _committed = [];
    private readonly HashSet<long> _polled = [];
    private readonly Dictionary<int, Offset> _lastSent = [];
    private readonly Dictionary<int, Offset> _lastPolled = [];
    private readonly List<(int Consumer, Offset After, Offset Next, Offset DeletedBefore)> _jumps = [];
    private readonly List<(Offset Offset, long Value)> _acknowledged = [];
    private Offset _deletedBefore = Offset.Zero;
    private Offset _polledTo = Offset.None;

    public IEnumerable<Anomaly> Find(IEnumerable<HistoryEvent> events)
    {
        foreach (var e in events) Take(e);
        foreach (var jump in _jumps) CheckSkip(jump);
        foreach (var (offset, value) in _acknowledged) CheckSeen(offset, value);
        return _found;
    }

    private void Take(HistoryEvent e)
    {
        switch (e.Kind)
        {
            case HistoryEventKind.Deleted: _deletedBefore = Offset.Max(_deletedBefore, e.Offset); return;
            case HistoryEventKind.Committed: _committed.Add(e.Value); break;
            case HistoryEventKind.Acknowledged: TakeSend(e); break;
            case HistoryEventKind.Polled: TakePoll(e); break;
        }

        CheckPlace(e);
    }

    private void TakeSend(HistoryEvent e)
    {
        _acknowledged.Add((e.Offset, e.Value));
        if (_lastSent.TryGetValue(e.Who, out var last) && e.Offset <= last)
            Add(AnomalyKind.NonMonotonicSend, $"value {e.Value} of producer {e.Who} went to {e.Offset}, after {last}");
        _lastSent[e.Who] = e.Offset;
    }

    private void TakePoll(HistoryEvent e)
    {
        _polled.Add(e.Value);
        _polledTo = Offset.Max(_polledTo, e.Offset);
        if (!_committed.Contains(e.Value))
            Add(AnomalyKind.PrecommittedRead, $"consumer {e.Who} got value {e.Value} at {e.Offset}, which was not committed then");
        if (_lastPolled.TryGetValue(e.Who, out var last))
        {
            if (e.Offset <= last) Add(AnomalyKind.NonMonotonicPoll, $"consumer {e.Who} got {e.Offset} after {last}");
            else if (e.Offset > last + 1) _jumps.Add((e.Who, last, e.Offset, _deletedBefore));
        }

        _lastPolled[e.Who] = e.Offset;
    }

    private void CheckPlace(HistoryEvent e)
    {
        if (!_values.TryAdd(e.Offset, e.Value) && _values[e.Offset] != e.Value)
            Add(AnomalyKind.InconsistentOffsets, $"offset {e.Offset} has had the values {_values[e.Offset]} and {e.Value}");
        if (!_offsets.TryAdd(e.Value, e.Offset) && _offsets[e.Value] != e.Offset)
            Add(AnomalyKind.Duplicate, $"value {e.Value} has had the offsets {_offsets[e.Value]} and {e.Offset}");
    }

    private void CheckSkip((int Consumer, Offset After, Offset Next, Offset DeletedBefore) jump)
    {
        for (var offset = Offset.Max(jump.After + 1, jump.DeletedBefore); offset < jump.Next; offset += 1)
        {
            if (!_values.ContainsKey(offset)) continue;
            Add(AnomalyKind.PollSkip, $"consumer {jump.Consumer} got {jump.Next} after {jump.After} and not {offset}");
            return;
        }
    }

    private void CheckSeen(Offset offset, long value)
    {
        if (_polled.Contains(value) || offset < _deletedBefore) return;
        if (offset < _polledTo) Add(AnomalyKind.LostWrite, $"value {value} was acknowledged at {offset}; nobody got it, though somebody got {_polledTo}");
        else Add(AnomalyKind.Unseen, $"value {value} was acknowledged at {offset}, and nobody got it");
    }

    private void Add(AnomalyKind kind, string message) => _found.Add(new(kind, message));
}
