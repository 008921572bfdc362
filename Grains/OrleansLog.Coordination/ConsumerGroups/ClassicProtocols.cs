using System.Buffers.Binary;
using System.Collections.Immutable;
using OrleansLog.Coordination.Groups;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;
using EmbeddedProtocol = OrleansLog.Protocol.Messages.ConsumerProtocol;

namespace OrleansLog.Coordination.ConsumerGroups;

/// <summary>
/// What members of the classic protocol say within their joins, which in a classic group concerns only themselves, as
/// a coordinator that assigns needs it; and what it answers them. Throws <see cref="MalformedMessageException"/> for
/// what is not of the consumers' embedded protocol.
/// </summary>
internal static class ClassicProtocols
{
    public const string Type = EmbeddedProtocol.Type;

    /// <summary>A member's subscription, and by their names the partitions that it still reads.</summary>
    public static MemberSubscription Subscription(
        ClassicTraits traits, string? instanceId, int rebalanceTimeoutMs, string clientId, string clientHost,
        out List<EmbeddedProtocol.TopicPartitions> owned)
    {
        var said = EmbeddedProtocol.Read<ConsumerProtocolSubscription>(traits.Protocol.Metadata);
        owned = said.OwnedPartitions;
        return new MemberSubscription
        {
            InstanceId = instanceId,
            RackId = said.RackId,
            ClientId = clientId,
            ClientHost = clientHost,
            Topics = ConsumerGroupState.NoNames.Union(said.Topics),
            RebalanceTimeoutMs = rebalanceTimeoutMs,
            Classic = traits,
        };
    }

    /// <summary>The partitions of those topics that exist.</summary>
    public static PartitionSet ToIds(List<EmbeddedProtocol.TopicPartitions> partitions, ITopicDirectory topics)
    {
        var ids = PartitionSet.Empty.ToBuilder();
        foreach (var topic in partitions)
        {
            if (topics.Find(topic.Topic) is { } found)
                ids.UnionWith(topic.Partitions.Select(index => new TopicIdPartition(found.Id, index)));
        }
        return ids.ToImmutable();
    }

    public static PartitionSet ReadAssignment(ReadOnlyMemory<byte> assignment, ITopicDirectory topics) =>
        assignment.IsEmpty ? PartitionSet.Empty : ToIds(EmbeddedProtocol.Read<ConsumerProtocolAssignment>(assignment).AssignedPartitions, topics);

    /// <summary>What the member has, in the version that it speaks itself.</summary>
    public static byte[] WriteAssignment(ConsumerMember member, ITopicDirectory topics)
    {
        var version = BinaryPrimitives.ReadInt16BigEndian(member.Classic!.Protocol.Metadata.Span);
        var named = PartitionLists.ByTopic(
            member.Assignment.Assigned, (id, indexes) => new EmbeddedProtocol.TopicPartitions { Topic = topics.NameOf(id) ?? "", Partitions = indexes });
        return EmbeddedProtocol.Write(
            new ConsumerProtocolAssignment { AssignedPartitions = named.FindAll(topic => topic.Topic.Length > 0) },
            Math.Min(version, EmbeddedProtocol.VersionMax));
    }

    /// <summary>A protocol that all classic members of a group know; null when there is none.</summary>
    public static string? FindCommon(ConsumerGroupState state)
    {
        ImmutableHashSet<string>? common = null;
        var first = default(ClassicTraits);
        foreach (var traits in state.Members.Values.Select(member => member.Classic).OfType<ClassicTraits>())
        {
            first ??= traits;
            var names = traits.Protocols.Select(protocol => protocol.Name);
            common = common?.Intersect(names) ?? [.. names];
        }
        return first is null ? null : first.Protocols.Select(protocol => protocol.Name).FirstOrDefault(common!.Contains);
    }
}
