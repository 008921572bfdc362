using OrleansLog.Coordination.ConsumerGroups;
using OrleansLog.Coordination.Groups;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination.ShareGroups;

/// <summary>Which states the share coordinators are to have for a share group, and what has become of that.</summary>
internal sealed class ShareTopicsKeeping(GroupStore store, ITopicDirectory topics)
{
    /// <summary>What is to be done for a group; nothing for one that is not.</summary>
    public CoordinatorResult<ShareWork> Find(string groupId, long nowMs) =>
        new CoordinatorResult<ShareWork>(nowMs).With(store.Find(groupId) is ShareGroup { State: var state }
            ? new(ErrorCode.None, state.Epoch ?? 0, state.Topics)
            : new(ErrorCode.GroupIdNotFound, 0, ShareTopics.None));

    /// <summary>States were made and deleted. Members are assigned those that were made.</summary>
    public CoordinatorResult<ShareWork> Settled(string groupId, ShareWorkDone done, long nowMs)
    {
        var result = new CoordinatorResult<ShareWork>(nowMs);
        if (store.Find(groupId) is not ShareGroup group)
            return result.With(new(ErrorCode.GroupIdNotFound, 0, ShareTopics.None));
        var draft = new ShareGroupDraft(groupId, group.State, result);
        var present = done.Altered.Aggregate(group.State.Topics, (former, added) => former.Begin([added], id => topics.NameOf(id) ?? ""));
        draft.Set(present.Begun(done.Altered.Concat(done.Initialized)).Deleted(done.Deleted));
        if (!draft.State.Topics.Initialized.SetEquals(group.State.Topics.Initialized))
            draft.Bump();
        return result.With(new(ErrorCode.None, draft.State.Epoch ?? 0, draft.State.Topics));
    }

    /// <summary>Notes that states are to be deleted: those of the topics, or (null) all. Only of a group without members.</summary>
    public CoordinatorResult<ShareWork> Delete(string groupId, IReadOnlySet<Guid>? topicIds, long nowMs)
    {
        var result = new CoordinatorResult<ShareWork>(nowMs);
        if (Refuse(groupId) is var error && error != ErrorCode.None)
            return result.With(new(error, 0, ShareTopics.None));
        var group = (ShareGroup)store.Find(groupId)!;
        var draft = new ShareGroupDraft(groupId, group.State, result);
        draft.Set(group.State.Topics.Delete(group.State.Topics.All.Where(each => topicIds?.Contains(each.TopicId) ?? true)));
        return result.With(new(ErrorCode.None, group.State.Epoch ?? 0, draft.State.Topics));
    }

    /// <summary>Begins an epoch in which states are made anew. Only of a group without members.</summary>
    public CoordinatorResult<ShareWork> Alter(string groupId, long nowMs)
    {
        var result = new CoordinatorResult<ShareWork>(nowMs);
        if (Refuse(groupId) is var error && error != ErrorCode.None)
            return result.With(new(error, 0, ShareTopics.None));
        var group = (ShareGroup)store.Find(groupId)!;
        var draft = new ShareGroupDraft(groupId, group.State, result);
        draft.Bump();
        return result.With(new(ErrorCode.None, draft.State.Epoch!.Value, draft.State.Topics));
    }

    private ErrorCode Refuse(string groupId) => store.Find(groupId) switch
    {
        ShareGroup { IsEmpty: true } => ErrorCode.None,
        ShareGroup => ErrorCode.NonEmptyGroup,
        _ => ErrorCode.GroupIdNotFound,
    };
}

/// <summary>How far the states of a group are made.</summary>
/// <param name="Error">Why that is not said.</param>
/// <param name="Epoch">The group's epoch, which is that of states made now.</param>
/// <param name="Topics">The states.</param>
internal sealed record ShareWork(ErrorCode Error, int Epoch, ShareTopics Topics);

/// <summary>What was done at the share coordinators.</summary>
/// <param name="Initialized">States that were to be made.</param>
/// <param name="Deleted">States that were to be deleted.</param>
/// <param name="Altered">States that were made at an administrator's wish.</param>
internal sealed record ShareWorkDone(IReadOnlyList<TopicIdPartition> Initialized, IReadOnlyList<TopicIdPartition> Deleted, IReadOnlyList<TopicIdPartition> Altered);
