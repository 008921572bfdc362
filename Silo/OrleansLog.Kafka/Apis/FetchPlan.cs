using OrleansLog.Broker.Partitions;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Wire;
using OrleansLog.Replication.Replicas;

namespace OrleansLog.Kafka.Apis;

/// <summary>
/// A fetch request that was read, versions 4 to 17: what it asks of each partition, and what was last found there.
/// </summary>
internal sealed class FetchPlan
{
    private const int FirstVersionWithTopicIds = 13;
    private const sbyte ReadCommitted = 1;

    public List<Topic> Topics { get; } = new(1);

    public List<Part> Parts { get; } = new(1);

    public int WaitMsMax { get; private init; }

    public int BytesMin { get; private init; }

    public int BytesMax { get; private init; }

    /// <summary>Where the client stands, if it says so: it may be served by a replica nearby (KIP-392).</summary>
    public string Rack { get; private set; } = "";

    /// <summary>Whether the client wants committed transactions only (KIP-98).</summary>
    public bool StableOnly { get; private set; }

    public int SessionId { get; private set; }

    public int SessionEpoch { get; private set; }

    /// <summary>What one topic is called in this request; by name or by id, as the version has it.</summary>
    public readonly record struct Topic(string Name, Guid Id, int Parts);

    /// <summary>One partition's share of the request. <paramref name="Error"/> is known before any read.</summary>
    public record struct Part(Partition? Partition, int Index, ErrorCode Error, Offset From, int BytesMax, LeaderEpoch Known, ReplicaRead Found)
    {
        /// <summary>Whether the partition can be asked at all.</summary>
        public readonly bool IsReadable => Error == ErrorCode.None;

        /// <summary>The replica that the client should read from instead.</summary>
        public BrokerId Preferred { get; set; } = BrokerId.None;
    }

    public static FetchPlan Read(ref WireReader body, Broker.Broker broker)
    {
        if (body.Version < 15)
            body.ReadInt32(); // The replica that asks: followers are pushed to, here only clients ask.
        var plan = new FetchPlan { WaitMsMax = body.ReadInt32(), BytesMin = body.ReadInt32(), BytesMax = body.ReadInt32() };
        plan.StableOnly = body.ReadInt8() == ReadCommitted;
        if (body.Version >= 7)
            (plan.SessionId, plan.SessionEpoch) = (body.ReadInt32(), body.ReadInt32());
        for (var topics = body.ReadArrayCount(); topics > 0; topics--)
            plan.ReadTopic(ref body, broker);
        if (body.Version >= 7)
            SkipForgottenTopics(ref body);
        if (body.Version >= 11)
            plan.Rack = body.ReadString();
        return plan;
    }

    private void ReadTopic(ref WireReader body, Broker.Broker broker)
    {
        var byId = body.Version >= FirstVersionWithTopicIds;
        var (name, id) = byId ? ("", body.ReadUuid()) : (body.ReadString(), Guid.Empty);
        var led = byId ? broker.Partitions.FindTopic(id) : broker.Partitions.FindTopic(name);
        var count = body.ReadArrayCount();
        Topics.Add(new Topic(name, id, count));
        for (var i = 0; i < count; i++)
        {
            var part = ReadPart(ref body, led);
            if (part.Partition is null)
                part.Error = byId ? broker.WhyNotLed(id, part.Index) : broker.WhyNotLed(new TopicPartition(name, part.Index));
            Parts.Add(part);
        }
        SkipTags(ref body);
    }

    // Only sessions forget topics.
    private static void SkipForgottenTopics(ref WireReader body)
    {
        for (var topics = body.ReadArrayCount(); topics > 0; topics--)
        {
            if (body.Version >= FirstVersionWithTopicIds)
                body.ReadUuid();
            else
                body.ReadString();
            for (var partitions = body.ReadArrayCount(); partitions > 0; partitions--)
                body.ReadInt32();
            SkipTags(ref body);
        }
    }

    private static Part ReadPart(ref WireReader body, HostedTopic? topic)
    {
        var index = body.ReadInt32();
        var epoch = body.Version >= 9 ? body.ReadInt32() : LeaderEpoch.None.Value;
        var from = new Offset(body.ReadInt64());
        if (body.Version >= 12)
            body.ReadInt32(); // The epoch of the last record fetched: followers' business.
        if (body.Version >= 5)
            body.ReadInt64(); // The follower's log start offset.
        var bytesMax = body.ReadInt32();
        SkipTags(ref body);
        var partition = topic?.Find(index);
        return new Part(
            partition, index, partition is null ? ErrorCode.NotLeaderOrFollower : ErrorCode.None, from, bytesMax, new LeaderEpoch(epoch), default);
    }

    private static void SkipTags(ref WireReader body)
    {
        if (body.IsFlexible)
            body.SkipTaggedFields();
    }
}
