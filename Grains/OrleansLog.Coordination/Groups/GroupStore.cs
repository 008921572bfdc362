using OrleansLog.Coordination.ConsumerGroups;
using OrleansLog.Coordination.Records;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Coordination.ShareGroups;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination.Groups;

/// <summary>
/// The groups of one shard, and a journal of what was replayed since the last append succeeded, to take it back if
/// one fails. Runs on the shard's turn.
/// </summary>
internal sealed class GroupStore
{
    private readonly Dictionary<string, Group> _groups = [];
    private readonly List<Undo> _journal = [];

    /// <summary>
    /// What a change replaced: an offset, or (where there is no partition) the state of a consumer group, or (where
    /// there is none either) the generation of a classic group.
    /// </summary>
    private readonly record struct Undo(
        string Group, TopicPartition? Partition, CommittedOffset? Offset, GroupMetadataValue? Metadata, ConsumerGroupState? State = null)
    {
        /// <summary>The state of a share group; null for any other.</summary>
        public ShareGroupState? Share { get; init; }

        /// <summary>Takes a change of <see cref="Pending"/> back; null for any other.</summary>
        public Action? TakeBack { get; init; }
    }

    /// <summary>Offsets in transactions that have not ended.</summary>
    public PendingOffsets Pending { get; } = new();

    public IReadOnlyCollection<Group> Groups => _groups.Values;

    public int Mark => _journal.Count;

    public Group? Find(string groupId) => _groups.GetValueOrDefault(groupId);

    /// <summary>
    /// The group, made where there is none, or only one of another type that consists of offsets alone. Null when it
    /// is of another type.
    /// </summary>
    public ClassicGroup? GetOrAddClassic(string groupId) =>
        GetOrAdd(groupId, former => new ClassicGroup(groupId) { Offsets = former?.Offsets ?? [] });

    /// <inheritdoc cref="GetOrAddClassic"/>
    public ConsumerGroup? GetOrAddConsumer(string groupId) =>
        GetOrAdd(groupId, former => new ConsumerGroup(groupId) { Offsets = former?.Offsets ?? [] });

    /// <inheritdoc cref="GetOrAddClassic"/>
    public ShareGroup? GetOrAddShare(string groupId) =>
        GetOrAdd(groupId, former => new ShareGroup(groupId) { Offsets = former?.Offsets ?? [] });

    private T? GetOrAdd<T>(string groupId, Func<Group?, T> make) where T : Group
    {
        if (_groups.TryGetValue(groupId, out var group) && (group is T || group.HasMetadata))
            return group as T;
        var made = make(group);
        _groups[groupId] = made;
        return made;
    }

    /// <summary>Drops a group of which nothing is left. Until then even an empty one keeps its place.</summary>
    public void DropIfForgettable(Group group)
    {
        if (group.IsForgettable)
            _groups.Remove(group.Id);
    }

    public void Replay(StateRecord record)
    {
        switch (record)
        {
            case OffsetCommitRecord commit:
                Commit(commit, long.MaxValue);
                break;
            case PendingOffsetRecord pending:
                Pending.Add(pending.ProducerId, pending.Commit);
                Journal(() => Pending.RemoveLast(pending.ProducerId));
                break;
            case TransactionEndRecord end:
                EndTransaction(end);
                break;
            case GroupMetadataRecord generation:
                _journal.Add(new Undo(generation.Group, null, null, SetMetadata(generation.Group, generation.Value)));
                break;
            case ConsumerGroupRecord change:
                ReplayChange(change);
                break;
            case ShareGroupRecord change:
                ReplayChange(change);
                break;
            default:
                throw new ArgumentException($"A {record.GetType().Name} is no record of consumer groups.", nameof(record));
        }
    }

    public void Accept() => _journal.Clear();

    /// <summary>
    /// Takes back what was replayed after <paramref name="mark"/>. Groups whose generation that changes lose what
    /// only this coordinator knew of them; they are handed to <paramref name="beforeReset"/> and
    /// <paramref name="afterReset"/>.
    /// </summary>
    public void RollBack(int mark, Action<ClassicGroup> beforeReset, Action<Group> afterReset)
    {
        var changed = new HashSet<string>();
        for (var i = _journal.Count - 1; i >= mark; i--)
        {
            var undo = _journal[i];
            if (undo.TakeBack is { } takeBack)
            {
                takeBack();
                continue;
            }
            if (undo.Partition is { } partition)
            {
                SetOffset(undo.Group, partition, undo.Offset);
                continue;
            }
            changed.Add(undo.Group);
            if (undo.Share is { } share)
                GetOrAddShare(undo.Group)!.State = share;
            else if (undo.State is { } state)
                GetOrAddConsumer(undo.Group)!.State = state;
            else
                RollBack(undo, beforeReset);
        }
        _journal.RemoveRange(mark, _journal.Count - mark);
        foreach (var group in changed.Select(Find).OfType<Group>())
        {
            afterReset(group);
            DropIfForgettable(group);
        }
    }

    private void RollBack(in Undo undo, Action<ClassicGroup> beforeReset)
    {
        var group = GetOrAddClassic(undo.Group)!;
        beforeReset(group);
        group.Reset(undo.Metadata);
    }

    /// <summary>What takes something away from a group that there is not is left over from compaction.</summary>
    private void ReplayChange(ConsumerGroupRecord change)
    {
        var group = change.IsTombstone ? Find(change.Group) as ConsumerGroup : GetOrAddConsumer(change.Group);
        if (group is null && !change.IsTombstone)
            throw new InvalidOperationException($"Group {change.Group} is a classic group, and cannot become a consumer group before that is deleted.");
        if (group is null)
            return;
        _journal.Add(new Undo(change.Group, null, null, null, group.State));
        group.State = change.Apply(group.State);
        DropIfForgettable(group);
    }

    /// <inheritdoc cref="ReplayChange(ConsumerGroupRecord)"/>
    private void ReplayChange(ShareGroupRecord change)
    {
        var group = change.IsTombstone ? Find(change.Group) as ShareGroup : GetOrAddShare(change.Group);
        if (group is null && !change.IsTombstone)
            throw new InvalidOperationException($"Group {change.Group} is of another type, and cannot become a share group before that is deleted.");
        if (group is null)
            return;
        _journal.Add(new Undo(change.Group, null, null, null) { Share = group.State });
        group.State = change.Apply(group.State);
        DropIfForgettable(group);
    }

    private void EndTransaction(TransactionEndRecord end)
    {
        var taken = Pending.Take(end.ProducerId);
        Journal(() => taken.ForEach(pending => Pending.Add(end.ProducerId, pending)));
        foreach (var pending in end.IsCommit ? taken : [])
            if (!pending.IsSuperseded) Commit(pending.Commit, pending.Order);
    }

    // What was written last counts, whichever transaction ends first.
    private void Commit(OffsetCommitRecord commit, long order)
    {
        if (Pending.Supersede(commit.Group, commit.Partition, order) is { Count: > 0 } superseded)
            Journal(() => superseded.ForEach(pending => pending.IsSuperseded = false));
        _journal.Add(new Undo(commit.Group, commit.Partition, SetOffset(commit.Group, commit.Partition, commit.Offset), null));
    }

    private void Journal(Action takeBack) => _journal.Add(new Undo("", null, null, null) { TakeBack = takeBack });

    private CommittedOffset? SetOffset(string groupId, TopicPartition partition, CommittedOffset? offset)
    {
        var group = _groups.GetValueOrDefault(groupId);
        CommittedOffset? former = group?.Offsets.TryGetValue(partition, out var present) == true ? present : null;
        if (offset is { } committed)
        {
            // A consumer that assigns to itself commits to a group that has no other trace.
            (group ?? GetOrAddClassic(groupId)!).Offsets[partition] = committed;
        }
        else if (group?.Offsets.Remove(partition) == true)
        {
            DropIfForgettable(group);
        }
        return former;
    }

    private GroupMetadataValue? SetMetadata(string groupId, GroupMetadataValue? value)
    {
        // A tombstone of the time before the group was one of another protocol.
        if (value is null && Find(groupId) is ConsumerGroup or ShareGroup)
            return null;
        var group = GetOrAddClassic(groupId)
            ?? throw new InvalidOperationException($"Group {groupId} is not of the classic type, and cannot get a classic generation.");
        var former = group.Metadata;
        if (value is null)
            group.Reset(null);
        else
            group.Install(value);
        DropIfForgettable(group);
        return former;
    }
}
