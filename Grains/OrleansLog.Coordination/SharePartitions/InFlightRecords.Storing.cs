using System.Runtime.InteropServices;

namespace OrleansLog.Coordination.SharePartitions;

/// <content>What is to be stored, and what became of it.</content>
internal sealed partial class InFlightRecords
{
    /// <summary>Takes what is to be stored now, all that has changed in one; null where there is nothing.</summary>
    public ShareStateChange? TakeChange()
    {
        if (!HasChange)
            return null;
        HasChange = false;
        var slots = CollectionsMarshal.AsSpan(_slots);
        foreach (ref var slot in slots)
        {
            slot.Storing = slot.Said is not null ? Storing.Said : slot.IsChanged ? Storing.State : Storing.Nothing;
            slot.IsChanged = false;
        }
        var done = 0;
        while (done < slots.Length && IsDone(StoredState(slots[done])))
            done++;
        var complete = 0;
        var ranges = new List<ShareStateRange>();
        for (var i = done; i < slots.Length; i++)
        {
            complete += IsDone(StoredState(slots[i])) ? 1 : 0;
            if (slots[i].Storing != Storing.Nothing)
                Append(ranges, new(_start + i, _start + i, StoredState(slots[i]), slots[i].Count));
        }
        return new(_start + done, complete, ranges);
    }

    /// <summary>What was taken is stored. True when there are records for members in it.</summary>
    public bool Stored()
    {
        var released = false;
        for (var i = 0; i < _slots.Count; i++)
        {
            ref var slot = ref At(_start + i);
            if (slot is { Storing: Storing.Said, Said: { } said })
            {
                Become(ref slot, _start + i, said);
                released |= said == DeliveryState.Available;
            }
            slot.Storing = Storing.Nothing;
        }
        AdvanceStart();
        return released;
    }

    /// <summary>
    /// It is not known whether what was taken is stored: members are told so, and their locks go on. With the next change
    /// everything is stored anew.
    /// </summary>
    public void NotStored()
    {
        foreach (ref var slot in CollectionsMarshal.AsSpan(_slots))
        {
            if (slot.Storing == Storing.Said)
                slot.Said = null;
            slot.Storing = Storing.Nothing;
            slot.IsChanged = true;
        }
        HasChange = true;
        FindNextExpiry();
    }

    private static bool IsDone(DeliveryState state) => state is DeliveryState.Acknowledged or DeliveryState.Archived;

    private static DeliveryState StoredState(in Slot slot) => slot switch
    {
        { Storing: Storing.Said, Said: { } said } => said,
        { State: DeliveryState.Acquired } => DeliveryState.Available,
        _ => slot.State,
    };

    private static void Append(List<ShareStateRange> ranges, in ShareStateRange next)
    {
        if (ranges.Count > 0 && ranges[^1] is var last && last.Last == next.First - 1 && (last.State, last.DeliveryCount) == (next.State, next.DeliveryCount))
            ranges[^1] = last with { Last = next.Last };
        else
            ranges.Add(next);
    }
}
