using Microsoft.Extensions.Logging;
using OrleansLog.Coordination.ConsumerGroups;
using OrleansLog.Coordination.Groups;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Coordination.ShareGroups;
using OrleansLog.Coordination.SharePartitions;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Coordination;

/// <content>Share groups (KIP-932): what the share coordinators hold for them.</content>
public sealed partial class GroupCoordinator
{
    /// <summary>The most states of one group that are made, or deleted, at a time.</summary>
    private const int StatesPerRoundMax = 500;

    /// <summary>Groups whose states are being settled, and whether there is more to do by now.</summary>
    private readonly Dictionary<string, bool> _settling = new(StringComparer.Ordinal);

    /// <summary>How far share groups have come, and how much is left to deliver.</summary>
    public async Task<DescribeShareGroupOffsetsResponse> DescribeShareGroupOffsetsAsync(CallContext context, DescribeShareGroupOffsetsRequest request) =>
        new() { Groups = [.. await Answers.AllAsync(request.Groups.ConvertAll(group => DescribeOffsetsAsync(context, group)))] };

    /// <summary>Has a share group without members begin elsewhere.</summary>
    public async Task<AlterShareGroupOffsetsResponse> AlterShareGroupOffsetsAsync(CallContext context, AlterShareGroupOffsetsRequest request)
    {
        if (request.Topics.Exists(topic => topic.Partitions.Exists(part => part.StartOffset < 0)))
            return new() { ErrorCode = ErrorCode.InvalidRequest, ErrorMessage = "A start offset must not be negative." };
        var work = await AskAsync(context, request.GroupId, (shard, now) => shard.ShareTopics.Alter(request.GroupId, now));
        if (work.Error != ErrorCode.None)
            return new() { ErrorCode = work.Error, ErrorMessage = WhyNot(work.Error, request.GroupId) };
        var responses = await Answers.AllAsync(request.Topics.ConvertAll(topic => AlterAsync(context, request.GroupId, work, topic)));
        var altered = responses.SelectMany(topic => topic.Partitions.Where(part => part.ErrorCode == ErrorCode.None)
            .Select(part => new TopicIdPartition(topic.TopicId, part.PartitionIndex))).ToList();
        var settled = await AskAsync(context, request.GroupId, (shard, now) => shard.ShareTopics.Settled(request.GroupId, new([], [], altered), now));
        return settled.Error == ErrorCode.None ? new() { Responses = [.. responses] } : new() { ErrorCode = settled.Error };
    }

    /// <summary>Has a share group without members forget topics, so that it begins them anew.</summary>
    public async Task<DeleteShareGroupOffsetsResponse> DeleteShareGroupOffsetsAsync(CallContext context, DeleteShareGroupOffsetsRequest request)
    {
        var known = await AskAsync(context, request.GroupId, (shard, now) => shard.ShareTopics.Find(request.GroupId, now));
        var ids = known.Topics.Names.ToLookup(pair => pair.Value, pair => pair.Key, StringComparer.Ordinal);
        var named = request.Topics.SelectMany(topic => ids[topic.TopicName]).ToHashSet();
        var work = await AskAsync(context, request.GroupId, (shard, now) => shard.ShareTopics.Delete(request.GroupId, named, now));
        if (work.Error == ErrorCode.None && !await SettleAsync(request.GroupId))
            work = work with { Error = ErrorCode.CoordinatorNotAvailable };
        if (work.Error != ErrorCode.None)
            return new() { ErrorCode = work.Error, ErrorMessage = WhyNot(work.Error, request.GroupId) };
        return new()
        {
            Responses = request.Topics.ConvertAll(topic => new DeleteShareGroupOffsetsResponse.ResponseTopic
            {
                TopicName = topic.TopicName,
                TopicId = ids[topic.TopicName].FirstOrDefault(),
                ErrorCode = ids[topic.TopicName].Any() ? ErrorCode.None : ErrorCode.UnknownTopicOrPartition,
                ErrorMessage = ids[topic.TopicName].Any() ? null : $"Share group {request.GroupId} has not read {topic.TopicName}.",
            }),
        };
    }

    /// <summary>Deletes what the share coordinators hold for a group, if it is a share group without members.</summary>
    private async Task<ErrorCode> DeleteShareStatesAsync(CallContext context, string groupId)
    {
        var work = await AskAsync(context, groupId, (shard, now) => shard.ShareTopics.Delete(groupId, null, now));
        return work.Error switch
        {
            // What the group is, if it is one, is found out by whoever deletes it.
            ErrorCode.GroupIdNotFound => ErrorCode.None,
            ErrorCode.None when work.Topics.IsEmpty || await SettleAsync(groupId) => ErrorCode.None,
            ErrorCode.None => ErrorCode.CoordinatorNotAvailable,
            var error => error,
        };
    }

    private async Task<DescribeShareGroupOffsetsResponse.ResponseGroup> DescribeOffsetsAsync(CallContext context, DescribeShareGroupOffsetsRequest.RequestGroup asked)
    {
        var work = await AskAsync(context, asked.GroupId, (shard, now) => shard.ShareTopics.Find(asked.GroupId, now));
        if (work.Error != ErrorCode.None)
            return new() { GroupId = asked.GroupId, ErrorCode = work.Error, ErrorMessage = WhyNot(work.Error, asked.GroupId) };
        var topics = asked.Topics is { } named
            ? named.ConvertAll(topic => DescribeAsync(context, asked.GroupId, work, topic.TopicName, ports.Topics.Find(topic.TopicName)?.Id ?? Guid.Empty, topic.Partitions))
            : [.. work.Topics.Initialized.GroupBy(each => each.TopicId).Where(topic => ports.Topics.NameOf(topic.Key) is not null)
                .Select(topic => DescribeAsync(context, asked.GroupId, work, work.Topics.Names[topic.Key], topic.Key, topic.Select(each => each.Partition)))];
        return new() { GroupId = asked.GroupId, Topics = [.. await Answers.AllAsync(topics)] };
    }

    private async Task<DescribeShareGroupOffsetsResponse.ResponseTopic> DescribeAsync(
        CallContext context, string groupId, ShareWork work, string name, Guid id, IEnumerable<int> partitions) => new()
        {
            TopicName = name,
            TopicId = id,
            Partitions = [.. await Answers.AllAsync(partitions.Select(index => DescribeAsync(context, new(groupId, id, index), work, name)))],
        };

    private async Task<DescribeShareGroupOffsetsResponse.ResponsePartition> DescribeAsync(CallContext context, SharePartitionKey key, ShareWork work, string name)
    {
        var part = new DescribeShareGroupOffsetsResponse.ResponsePartition { PartitionIndex = key.Partition };
        if (!ports.Topics.Contains(name, key.Partition))
            part.ErrorCode = ErrorCode.UnknownTopicOrPartition;
        if (!work.Topics.Initialized.Contains(key.TopicPartition))
            return part;
        var summary = await CallAsync(states => states.SummarizeAsync(key, context.Cancellation), error => new ShareStateSummary(error));
        (part.ErrorCode, part.StartOffset, part.LeaderEpoch) = (summary.Error, summary.StartOffset, Math.Max(summary.LeaderEpoch, 0));
        if (summary is { Error: ErrorCode.None, StartOffset: >= 0 } && await ports.FindEndAsync(new(name, key.Partition), context.Cancellation) is { } end)
            part.Lag = Math.Max(0, end.Value - summary.StartOffset - Math.Max(summary.CompleteCount, 0));
        return part;
    }

    private async Task<AlterShareGroupOffsetsResponse.ResponseTopic> AlterAsync(
        CallContext context, string groupId, ShareWork work, AlterShareGroupOffsetsRequest.RequestTopic topic)
    {
        var id = ports.Topics.Find(topic.TopicName)?.Id ?? Guid.Empty;
        return new()
        {
            TopicName = topic.TopicName,
            TopicId = id,
            Partitions = [.. await Answers.AllAsync(topic.Partitions.ConvertAll(async part => new AlterShareGroupOffsetsResponse.ResponsePartition
            {
                PartitionIndex = part.PartitionIndex,
                ErrorCode = !ports.Topics.Contains(topic.TopicName, part.PartitionIndex) ? ErrorCode.UnknownTopicOrPartition
                    : work.Topics.Deleting.Contains(new(id, part.PartitionIndex)) ? ErrorCode.CoordinatorNotAvailable
                    : await CallAsync(states => states.InitializeAsync(new(groupId, id, part.PartitionIndex), work.Epoch, part.StartOffset, context.Cancellation), error => error),
            }))],
        };
    }

    private static string? WhyNot(ErrorCode error, string groupId) => error switch
    {
        ErrorCode.GroupIdNotFound => $"There is no share group {groupId}.",
        ErrorCode.NonEmptyGroup => $"Share group {groupId} has members: they must leave first.",
        _ => null,
    };

    private Task<ShareWork> AskAsync(CallContext context, string groupId, Func<GroupShard, long, CoordinatorResult<ShareWork>> handler) =>
        ValidateGroupId(groupId) is var error && error != ErrorCode.None
            ? Task.FromResult(new ShareWork(error, 0, ShareTopics.None))
            : RouteAsync(context, groupId, (shard, _, now) => handler(shard, now), refused => new ShareWork(CoordinatorErrors.ForGroups(refused), 0, ShareTopics.None));

    private async Task<T> CallAsync<T>(Func<IShareStates, Task<T>> call, Func<ErrorCode, T> refuse)
    {
        try
        {
            return ports.ShareStates is { } states ? await call(states) : refuse(ErrorCode.CoordinatorNotAvailable);
        }
        catch (IOException)
        {
            return refuse(ErrorCode.CoordinatorNotAvailable);
        }
    }

    // On the turn of a shard: must not wait.
    private void BeginSettling(string groupId)
    {
        if (TryBeginSettling(groupId))
            _ = SettleInBackgroundAsync(groupId);
    }

    private async Task SettleInBackgroundAsync(string groupId)
    {
        try
        {
            await Task.Yield();
            do
            {
                while (!await SettleOnceAsync(groupId))
                    await Task.Delay(TimeSpan.FromMilliseconds(options.ShareRetryDelayMs), ports.Time);
            }
            while (!TryEndSettling(groupId));
        }
        catch (Exception failed)
        {
            ports.Logger.LogError(failed, "The states of share group {Group} could not be settled; its next coordinator will try again", groupId);
            lock (_gate)
                _settling.Remove(groupId);
        }
    }

    private bool TryBeginSettling(string groupId)
    {
        lock (_gate)
        {
            if (_settling.ContainsKey(groupId))
            {
                _settling[groupId] = true;
                return false;
            }
            _settling[groupId] = false;
            return true;
        }
    }

    private bool TryEndSettling(string groupId)
    {
        lock (_gate)
        {
            if (_settling.Remove(groupId, out var hasMore) && !hasMore)
                return true;
            _settling[groupId] = false;
            return false;
        }
    }

    /// <summary>Deletes and makes what there is to delete and to make, within the time for it.</summary>
    private async Task<bool> SettleAsync(string groupId)
    {
        var started = ports.Time.GetTimestamp();
        while (!await SettleOnceAsync(groupId))
        {
            if (ports.Time.GetElapsedTime(started).TotalMilliseconds > options.ShareDeletionTimeoutMs)
                return false;
            await Task.Delay(TimeSpan.FromMilliseconds(options.ShareRetryDelayMs), ports.Time);
        }
        return true;
    }

    /// <summary>True when there is nothing left to do here.</summary>
    private async Task<bool> SettleOnceAsync(string groupId)
    {
        var work = await AskAsync(default, groupId, (shard, now) => shard.ShareTopics.Find(groupId, now));
        if (work.Error is ErrorCode.NotCoordinator or ErrorCode.GroupIdNotFound || work is { Topics: { Initializing.IsEmpty: true, Deleting.IsEmpty: true }, Error: ErrorCode.None })
            return true;
        var made = await EachAsync(work.Topics.Initializing, (states, each) =>
            states.InitializeAsync(new(groupId, each.TopicId, each.Partition), work.Epoch, Offset.None.Value, default));
        var deleted = await EachAsync(work.Topics.Deleting, (states, each) => states.DeleteAsync(new(groupId, each.TopicId, each.Partition), default));
        if (made.Count + deleted.Count == 0)
            return false;
        var settled = await AskAsync(default, groupId, (shard, now) => shard.ShareTopics.Settled(groupId, new(made, deleted, []), now));
        return settled is { Error: ErrorCode.None, Topics: { Initializing.IsEmpty: true, Deleting.IsEmpty: true } };
    }

    private async Task<List<TopicIdPartition>> EachAsync(PartitionSet partitions, Func<IShareStates, TopicIdPartition, Task<ErrorCode>> call)
    {
        // Others follow in the next round.
        var outcomes = await Answers.AllAsync(partitions.Take(StatesPerRoundMax).Select(async each => (each, await CallAsync(states => call(states, each), error => error))));
        return [.. from outcome in outcomes where outcome.Item2 == ErrorCode.None select outcome.each];
    }
}
