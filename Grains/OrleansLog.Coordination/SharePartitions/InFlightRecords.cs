using System.Runtime.InteropServices;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Coordination.SharePartitions;

/// <summary>
/// The records of a share-partition between its start offset, below which all is dealt with, and its end offset, from which
/// nothing was delivered (KIP-932: SPSO and SPEO). Deterministic and without I/O: its owner tells it the time and stores its
/// changes. What a member says about records counts once it is stored: <see cref="TakeChange"/> hands out what is to be
/// stored, <see cref="Stored"/> or <see cref="NotStored"/> tells what became of it, one at a time.
/// Used under its owner's lock.
/// </summary>
internal sealed partial class InFlightRecords(ShareSettings settings)
{
    private readonly List<Slot> _slots = [];
    private long _start;
    private long _mayBeAvailable;
    private long _nextExpiryMs = long.MaxValue;

    private enum Storing : byte { Nothing, State, Said }

    private struct Slot
    {
        public DeliveryState State;

        /// <summary>What the record becomes once that is stored; null while nothing was said.</summary>
        public DeliveryState? Said;

        public short Count;

        /// <summary>Whose it is while it is acquired.</summary>
        public string? Member;

        public long LockedUntilMs;

        /// <summary>Whether what is stored is something else.</summary>
        public bool IsChanged;

        /// <summary>Which part of it is in the change that is being stored.</summary>
        public Storing Storing;

        public readonly bool IsDone => State is DeliveryState.Acknowledged or DeliveryState.Archived;
    }

    /// <summary>How the group is served; may change at any time.</summary>
    public ShareSettings Settings { get; set; } = settings;

    public Offset StartOffset => new(_start);

    public Offset EndOffset => new(_start + _slots.Count);

    /// <summary>When the first lock ends, at the earliest; <see cref="long.MaxValue"/> while nothing is locked.</summary>
    public long NextExpiryMs => _nextExpiryMs;

    /// <summary>Whether a member has records.</summary>
    public bool HasAcquired => _slots.Exists(slot => slot.State == DeliveryState.Acquired);

    /// <summary>Whether there is something to store.</summary>
    public bool HasChange { get; private set; }

    /// <summary>Begins with what is stored: ranges in the order of their offsets.</summary>
    public void Load(long startOffset, IEnumerable<ShareStateRange> ranges)
    {
        _slots.Clear();
        _start = _mayBeAvailable = startOffset;
        foreach (var range in ranges)
        {
            for (var offset = EndOffset.Value; offset < range.First; offset++)
                _slots.Add(default);
            for (var offset = EndOffset.Value; offset <= range.Last; offset++)
                _slots.Add(new Slot { State = range.State, Count = range.DeliveryCount });
        }
        AdvanceStart();
    }

    /// <summary>The first offset that a member could get, be it one that is not there yet.</summary>
    public Offset NextOffset()
    {
        var index = Math.Max(_mayBeAvailable - _start, 0);
        while (index < _slots.Count && _slots[(int)index].State != DeliveryState.Available)
            index++;
        _mayBeAvailable = _start + index;
        return new(_mayBeAvailable);
    }

    /// <summary>Whether a member could get something, if it is there.</summary>
    public bool HasRoom => NextOffset() < EndOffset || _slots.Count < Settings.MaxRecordLocks;

    /// <summary>What lies below an offset is gone from the log.</summary>
    public void ForgetBefore(Offset logStart)
    {
        if (logStart.Value <= _start)
            return;
        _slots.RemoveRange(0, (int)Math.Min(logStart.Value - _start, _slots.Count));
        _start = logStart.Value;
        HasChange = true;
        AdvanceStart();
    }

    /// <summary>Has a member acquire records of the batches that were read, which follow one another in the log.</summary>
    /// <param name="member">Who it is.</param>
    /// <param name="batches">What was read from <see cref="NextOffset"/> on, or from elsewhere within the log.</param>
    /// <param name="limit">How much it wants.</param>
    /// <param name="nowMs">The time.</param>
    public List<AcquiredRange> Acquire(string member, ReadOnlySpan<ReadBatch> batches, AcquireLimit limit, long nowMs)
    {
        var acquired = new List<AcquiredRange>();
        var left = (long)limit.RecordsMax;
        foreach (var batch in batches)
        {
            if (left <= 0 || !Skip(batch.First.Value))
                break;
            if (!batch.IsDelivered)
            {
                if (!Archive(batch)) break;
                continue;
            }
            for (var offset = Math.Max(batch.First.Value, _start); offset <= batch.Last.Value && (left > 0 || !limit.IsStrict) && Extend(offset); offset++)
            {
                if (!TryAcquire(offset, member, nowMs))
                    continue;
                Append(acquired, offset);
                left--;
            }
        }
        AdvanceStart();
        return acquired;
    }

    /// <summary>
    /// Takes what a member says about records that it has acquired: all of it or nothing. It counts once it is stored, but for
    /// renewals, which count at once.
    /// </summary>
    public ErrorCode Acknowledge(string member, IReadOnlyList<Acknowledgement> acknowledgements, long nowMs)
    {
        foreach (var each in acknowledgements)
        {
            if (Refuse(member, each) is var error && error != ErrorCode.None)
                return error;
        }
        foreach (var each in acknowledgements)
        {
            for (var offset = Math.Max(each.First, _start); offset <= each.Last; offset++)
                Take(ref At(offset), each.TypeOf(offset), nowMs);
        }
        return ErrorCode.None;
    }

    /// <summary>Takes back what a member has acquired and has said nothing about. True when there are records for others.</summary>
    public bool ReleaseAll(string member) => ReleaseWhere(slot => slot.Member == member);

    /// <summary>Takes back what was locked for too long. True when there are records for others.</summary>
    public bool Expire(long nowMs)
    {
        var released = ReleaseWhere(slot => slot.LockedUntilMs <= nowMs);
        FindNextExpiry();
        return released;
    }

    private ErrorCode Refuse(string member, in Acknowledgement each)
    {
        if (each.Last >= EndOffset.Value)
            return ErrorCode.InvalidRequest;
        for (var offset = Math.Max(each.First, _start); offset <= each.Last; offset++)
        {
            ref var slot = ref At(offset);
            if (slot.State != DeliveryState.Acquired || slot.Member != member || slot.Said is not null)
                return ErrorCode.InvalidRecordState;
        }
        return ErrorCode.None;
    }

    private void Take(ref Slot slot, ShareAcknowledgeType type, long nowMs)
    {
        if (type == ShareAcknowledgeType.Renew)
        {
            slot.LockedUntilMs = nowMs + Settings.RecordLockDurationMs;
            return;
        }
        slot.Said = type switch
        {
            ShareAcknowledgeType.Accept => DeliveryState.Acknowledged,
            ShareAcknowledgeType.Release => Released(slot),
            _ => DeliveryState.Archived,
        };
        HasChange = true;
    }

    // A record that nobody could handle so often is given up.
    private DeliveryState Released(in Slot slot) =>
        slot.Count >= Settings.DeliveryCountLimit ? DeliveryState.Archived : DeliveryState.Available;

    private bool TryAcquire(long offset, string member, long nowMs)
    {
        ref var slot = ref At(offset);
        if (slot.State != DeliveryState.Available)
            return false;
        if (slot.Count >= Settings.DeliveryCountLimit)
        {
            (slot.State, slot.IsChanged, HasChange) = (DeliveryState.Archived, true, true);
            return false;
        }
        slot.State = DeliveryState.Acquired;
        slot.Member = member;
        slot.Count++;
        slot.LockedUntilMs = nowMs + Settings.RecordLockDurationMs;
        _nextExpiryMs = Math.Min(_nextExpiryMs, slot.LockedUntilMs);
        return true;
    }

    private bool ReleaseWhere(Predicate<Slot> isMeant)
    {
        var released = false;
        for (var i = 0; i < _slots.Count; i++)
        {
            ref var slot = ref At(_start + i);
            if (slot.State != DeliveryState.Acquired || slot.Said is not null || !isMeant(slot))
                continue;
            Become(ref slot, _start + i, Released(slot));
            slot.IsChanged = HasChange = true;
            released |= slot.State == DeliveryState.Available;
        }
        AdvanceStart();
        return released;
    }

    private void Become(ref Slot slot, long offset, DeliveryState state)
    {
        (slot.State, slot.Said, slot.Member) = (state, null, null);
        if (state == DeliveryState.Available)
            _mayBeAvailable = Math.Min(_mayBeAvailable, offset);
    }

    private void FindNextExpiry()
    {
        _nextExpiryMs = long.MaxValue;
        foreach (ref var slot in CollectionsMarshal.AsSpan(_slots))
        {
            if (slot is { State: DeliveryState.Acquired, Said: null })
                _nextExpiryMs = Math.Min(_nextExpiryMs, slot.LockedUntilMs);
        }
    }

    private void Append(List<AcquiredRange> acquired, long offset)
    {
        var count = At(offset).Count;
        if (acquired.Count > 0 && acquired[^1] is var last && last.Last.Value == offset - 1 && last.DeliveryCount == count)
            acquired[^1] = last with { Last = new(offset) };
        else
            acquired.Add(new(new(offset), new(offset), count));
    }

    /// <summary>No record lies between the end and an offset. False where the window would become too large.</summary>
    private bool Skip(long offset)
    {
        var end = EndOffset.Value;
        return offset <= end || Archive(new(new(end), new(offset - 1), IsDelivered: false));
    }

    private bool Archive(in ReadBatch batch)
    {
        AdvanceStart();
        if (_slots.Count == 0)
        {
            _start = _mayBeAvailable = Math.Max(_start, batch.Last.Value + 1);
            return true;
        }
        for (var offset = Math.Max(batch.First.Value, _start); offset <= batch.Last.Value; offset++)
        {
            if (!Extend(offset))
                return false;
            ref var slot = ref At(offset);
            if (slot.State == DeliveryState.Available)
                (slot.State, slot.IsChanged) = (DeliveryState.Archived, true);
        }
        return true;
    }

    /// <summary>Makes room up to an offset. False where the window would become too large.</summary>
    private bool Extend(long offset)
    {
        while (offset - _start >= _slots.Count)
        {
            if (_slots.Count >= Settings.MaxRecordLocks)
                return false;
            _slots.Add(default);
        }
        return true;
    }

    private void AdvanceStart()
    {
        var done = 0;
        while (done < _slots.Count && _slots[done] is { IsDone: true, Storing: Storing.Nothing })
            done++;
        _slots.RemoveRange(0, done);
        _start += done;
    }

    private ref Slot At(long offset) => ref CollectionsMarshal.AsSpan(_slots)[(int)(offset - _start)];
}
