using OrleansLog.Protocol;

namespace OrleansLog.Storage.Producers;

/// <summary>
/// Where the transactions of one partition begin and end (KIP-98): what readers of committed records may see, and what of it
/// they must leave out. Changed on the log's turn; read by any thread, under a lock of its own that is never held for longer
/// than a lookup.
/// </summary>
internal sealed class TransactionIndex
{
    private readonly Lock _gate = new();
    private readonly SortedSet<Offset> _open = [];
    private readonly List<EndedTransaction> _ended = [];
    private readonly List<AbortedTransaction> _aborted = [];
    // What a reader looks at first: most partitions never see a transaction.
    private volatile bool _hasUnstable;
    private volatile bool _hasAborted;

    public void Begin(Offset first)
    {
        lock (_gate)
        {
            _open.Add(first);
            _hasUnstable = true;
        }
    }

    /// <summary>Notes the end of a transaction that began at <paramref name="first"/>.</summary>
    public void End(long producerId, Offset first, Offset marker, bool isCommit)
    {
        lock (_gate)
        {
            _open.Remove(first);
            _ended.Add(new(first, marker));
            if (isCommit) return;
            _aborted.Add(new(producerId, first, marker, FirstOpen(marker + 1L)));
            _hasAborted = true;
        }
    }

    /// <summary>
    /// The last stable offset: below it the outcome of every transaction is committed itself. What ended below the high
    /// watermark is not asked about again, for that never moves back.
    /// </summary>
    public Offset LastStableOffset(Offset highWatermark)
    {
        if (!_hasUnstable) return highWatermark;
        lock (_gate)
        {
            _ended.RemoveAll(ended => ended.Marker < highWatermark);
            var stable = FirstOpen(highWatermark);
            foreach (var ended in _ended) stable = Offset.Min(stable, ended.First);
            _hasUnstable = _open.Count + _ended.Count > 0;
            return stable;
        }
    }

    /// <summary>The aborted transactions that have records in <paramref name="from"/>..<paramref name="to"/>, exclusive, by their ends.</summary>
    public IReadOnlyList<AbortedTransaction> Aborted(Offset from, Offset to)
    {
        if (!_hasAborted) return [];
        var found = new List<AbortedTransaction>();
        lock (_gate)
        {
            for (var i = FirstEndingAtOrAfter(from); i < _aborted.Count; i++)
            {
                if (_aborted[i].First < to) found.Add(_aborted[i]);
                // Whatever ended later began where this one left the last stable offset, or after it.
                if (_aborted[i].LastStableOffset >= to) break;
            }
        }

        return found;
    }

    /// <summary>Whether an aborted transaction may have records at or after an offset.</summary>
    public bool HasAborted(Offset from)
    {
        if (!_hasAborted) return false;
        lock (_gate) return FirstEndingAtOrAfter(from) < _aborted.Count;
    }

    /// <summary>Forgets aborted transactions that lie wholly before the log's start.</summary>
    public void DropBefore(Offset start)
    {
        if (!_hasAborted) return;
        lock (_gate)
        {
            _aborted.RemoveRange(0, FirstEndingAtOrAfter(start));
            _hasAborted = _aborted.Count > 0;
        }
    }

    /// <summary>Forgets aborted transactions with these markers; false when there were none.</summary>
    public bool DropAborted(IReadOnlyCollection<Offset> markers)
    {
        var gone = markers.ToHashSet();
        lock (_gate)
        {
            var count = _aborted.RemoveAll(aborted => gone.Contains(aborted.Marker));
            _hasAborted = _aborted.Count > 0;
            return count > 0;
        }
    }

    /// <summary>Takes over what a snapshot holds beside the open transactions, which their producers tell of.</summary>
    public void Restore(IEnumerable<EndedTransaction> ended, IEnumerable<AbortedTransaction> aborted)
    {
        lock (_gate)
        {
            _ended.AddRange(ended);
            _aborted.AddRange(aborted);
            _hasUnstable |= _ended.Count > 0;
            _hasAborted = _aborted.Count > 0;
        }
    }

    /// <summary>A copy of what <see cref="Restore"/> takes.</summary>
    public (EndedTransaction[] Ended, AbortedTransaction[] Aborted) Copy()
    {
        lock (_gate) return ([.. _ended], [.. _aborted]);
    }

    private Offset FirstOpen(Offset otherwise) => _open.Count > 0 ? Offset.Min(_open.Min, otherwise) : otherwise;

    private int FirstEndingAtOrAfter(Offset from)
    {
        int low = 0, high = _aborted.Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_aborted[middle].Marker < from) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}

/// <summary>A transaction whose marker is in the log and may not be committed yet.</summary>
internal readonly record struct EndedTransaction(Offset First, Offset Marker);
