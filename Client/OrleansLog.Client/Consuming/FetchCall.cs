using OrleansLog.Client.Transport;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Client.Consuming;

/// <summary>One fetch of partitions from one broker.</summary>
internal sealed class FetchCall(FetchLine line, List<FetchTarget> targets, ConsumerOptions options) : OutgoingRequest
{
    /// <summary>From this version on topics go by their ids.</summary>
    public const short FirstVersionWithTopicIds = 13;

    private static readonly ApiVersionRange Versions = Apis.Find(ApiKey.Fetch)!.Value;

    public FetchLine Line => line;

    public IReadOnlyList<FetchTarget> Targets => targets;

    public override ApiKey Api => ApiKey.Fetch;
    public override short VersionMin => Versions.Min;
    public override short VersionMax => targets.TrueForAll(target => target.TopicId != Guid.Empty) ? Versions.Max : (short)(FirstVersionWithTopicIds - 1);
    public override bool MayContinueInline => true;
    public override int HoldMsMax => options.FetchWaitMsMax;

    public override void WriteBody(short version, FrameBuilder destination)
    {
        var writer = new WireWriter(destination, version, Versions.IsFlexible(version));
        writer.Write(new FetchRequest
        {
            MaxWaitMs = options.FetchWaitMsMax,
            MinBytes = options.FetchBytesMin,
            MaxBytes = options.FetchBytesMax,
            IsolationLevel = (sbyte)options.IsolationLevel,
            RackId = options.Rack ?? "",
            Topics = [.. targets.GroupBy(target => target.State.Partition.Topic).Select(ToTopic)],
        });
        writer.Flush();
    }

    /// <summary>The answer; its records are slices of the frame.</summary>
    public static FetchResponse Read(ResponseFrame frame)
    {
        var reader = new WireReader(frame.Body, frame.Version, Versions.IsFlexible(frame.Version));
        return reader.Read<FetchResponse>();
    }

    /// <summary>Which of the targets an item of the answer is about; null if none.</summary>
    public FetchTarget? FindTarget(FetchResponse.FetchableTopicResponse topic, int partition)
    {
        foreach (var target in targets)
        {
            if (target.State.Partition.Partition != partition) continue;
            if (topic.TopicId != Guid.Empty ? target.TopicId == topic.TopicId : target.State.Partition.Topic == topic.Topic) return target;
        }
        return null;
    }

    private FetchRequest.FetchTopic ToTopic(IGrouping<string, FetchTarget> topic) => new()
    {
        Topic = topic.Key,
        TopicId = topic.First().TopicId,
        Partitions = [.. topic.Select(target => new FetchRequest.FetchPartition
        {
            Partition = target.State.Partition.Partition,
            CurrentLeaderEpoch = target.LeaderEpoch.Value,
            FetchOffset = target.Offset,
            PartitionMaxBytes = options.PartitionFetchBytesMax,
        })],
    };
}

/// <summary>A partition as one fetch asks for it.</summary>
internal sealed record FetchTarget(PartitionState State, int Version, long Offset, Guid TopicId, LeaderEpoch LeaderEpoch);

/// <summary>A way to one broker that one fetch at a time may use.</summary>
internal sealed class FetchLine(BrokerId broker, Lane lane)
{
    public BrokerId Broker => broker;
    public Lane Lane => lane;
    public bool IsBusy { get; set; }
}
