using System.Collections.Immutable;
using OrleansLog.Coordination.ConsumerGroups.Assignors;
using OrleansLog.Coordination.Runtime;

namespace OrleansLog.Coordination.ConsumerGroups;

/// <summary>
/// What a handler has decided about one group so far: the records go into the result, and the state is what they will
/// lead to. Nothing is changed before they are replayed. Lives for one request.
/// </summary>
internal sealed class ConsumerGroupDraft(string groupId, ConsumerGroupState state, CoordinatorResult result)
{
    public string GroupId => groupId;

    public CoordinatorResult Result => result;

    public ConsumerGroupState State { get; private set; } = state;

    public void Write(ConsumerGroupRecord record)
    {
        result.Append(record);
        State = record.Apply(State);
    }

    public void Write(IEnumerable<ConsumerGroupRecord> records)
    {
        foreach (var record in records)
            Write(record);
    }

    public void Bump() => Write(new GroupEpochRecord(groupId, (State.Epoch ?? 0) + 1));

    public void Set(string memberId, MemberAssignment assignment)
    {
        if (State.Find(memberId)?.Assignment != assignment)
            Write(new MemberAssignmentRecord(groupId, memberId, assignment));
    }

    /// <summary>Looks at the topics anew, and bumps the group's epoch if they are other ones.</summary>
    /// <param name="topics">The topics that there are.</param>
    /// <param name="patterns">Matches expressions against them.</param>
    /// <param name="mustBump">Whether a member has changed what it would like.</param>
    public void Refresh(ITopicDirectory topics, TopicPatterns patterns, bool mustBump)
    {
        MatchPatterns(topics, patterns);
        var present = Find(topics);
        if (!present.SequenceEqual(State.Topics))
        {
            Write(new GroupTopicsRecord(groupId, present));
            mustBump = true;
        }
        if (mustBump)
            Bump();
    }

    /// <summary>Computes the target, if the group's epoch has moved on since it was computed.</summary>
    public void Assign(IReadOnlyList<string> assignors)
    {
        if (State.AssignmentEpoch == State.Epoch)
            return;
        var targets = ServerAssignors.Find(PreferredAssignor(State, assignors)).Assign(Input());
        foreach (var id in State.Members.Keys)
        {
            if (!State.Targets.TryGetValue(id, out var former) || !former.SetEquals(targets[id]))
                Write(new TargetRecord(groupId, id, targets[id]));
        }
        Write(new TargetEpochRecord(groupId, State.Epoch));
    }

    /// <summary>The way of assigning that most members ask for; the first of the broker's where none do.</summary>
    public static string PreferredAssignor(ConsumerGroupState state, IReadOnlyList<string> assignors) =>
        state.Members.Values.Select(member => member.Subscription.Assignor).OfType<string>().Where(assignors.Contains)
            .GroupBy(name => name).OrderByDescending(votes => votes.Count()).ThenBy(votes => votes.Key, StringComparer.Ordinal)
            .FirstOrDefault()?.Key ?? assignors[0];

    private AssignmentInput Input()
    {
        var ids = State.Topics.Values.ToDictionary(topic => topic.Id, topic => topic.PartitionCount);
        return new AssignmentInput(
            [.. State.Members.Values.Select(member => new AssignmentMember(member.Id, member.InstanceId, TopicsOf(member), State.TargetOf(member.Id)))], ids);
    }

    private HashSet<Guid> TopicsOf(ConsumerMember member) =>
        [.. NamesOf(member).Where(State.Topics.ContainsKey).Select(name => State.Topics[name].Id)];

    private IEnumerable<string> NamesOf(ConsumerMember member) =>
        member.Subscription.Pattern is { Length: > 0 } pattern
            ? member.Subscription.Topics.Union(State.Patterns.GetValueOrDefault(pattern, ConsumerGroupState.NoNames))
            : member.Subscription.Topics;

    private ImmutableSortedDictionary<string, SubscribedTopic> Find(ITopicDirectory topics)
    {
        var present = ConsumerGroupState.None.Topics.ToBuilder();
        foreach (var name in State.Members.Values.SelectMany(NamesOf))
        {
            if (!present.ContainsKey(name) && topics.Find(name) is { } topic)
                present.Add(name, new SubscribedTopic(topic.Id, topic.PartitionCount));
        }
        return present.ToImmutable();
    }

    private void MatchPatterns(ITopicDirectory topics, TopicPatterns patterns)
    {
        var used = ConsumerGroupState.NoNames.Union(State.Members.Values.Select(member => member.Subscription.Pattern ?? "").Where(pattern => pattern.Length > 0));
        foreach (var unused in State.Patterns.Keys.Except(used).ToList())
            Write(new PatternRecord(groupId, unused, null, result.NowMs));
        foreach (var pattern in used)
        {
            var matched = patterns.Match(pattern, topics);
            if (!State.Patterns.TryGetValue(pattern, out var former) || !former.SetEquals(matched))
                Write(new PatternRecord(groupId, pattern, matched, result.NowMs));
        }
    }
}
