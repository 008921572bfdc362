using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Coordination.ShareStates;

/// <summary>Kafka's key of a snapshot, version 0: one for each share-partition.</summary>
internal sealed class ShareSnapshotKey : IMessage
{
    public const short Version = 0;

    public string GroupId = "";
    public Guid TopicId;
    public int Partition;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.String(ref GroupId);
        codec.Uuid(ref TopicId);
        codec.Int32(ref Partition);
    }
}

/// <summary>
/// Kafka's key of an update, version 1, with the update's place among those since the snapshot: the topic is compacted, and
/// every update since the snapshot counts. Those of earlier snapshots are replaced in their turn.
/// </summary>
internal sealed class ShareUpdateKey : IMessage
{
    public const short Version = 1;

    public string GroupId = "";
    public Guid TopicId;
    public int Partition;
    public int Place;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.String(ref GroupId);
        codec.Uuid(ref TopicId);
        codec.Int32(ref Partition);
        codec.Int32(ref Place);
    }
}

/// <summary>Kafka's values, version 0 and flexible. The number of the write is an addition, under a tag of its own.</summary>
internal static class ShareStateValues
{
    public const short Version = 0;

    private const int WriteNumberTag = 10_000;

    /// <summary>The whole state of a share-partition.</summary>
    internal sealed class Snapshot : IMessage
    {
        public int SnapshotEpoch;
        public int StateEpoch;
        public int LeaderEpoch;
        public long StartOffset;
        public int DeliveryCompleteCount = -1;
        public long CreateTimestamp;
        public long WriteTimestamp;
        public List<ShareStateBatch> StateBatches = [];
        public long WriteNumber;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref SnapshotEpoch);
            codec.Int32(ref StateEpoch);
            codec.Int32(ref LeaderEpoch);
            codec.Int64(ref StartOffset);
            codec.Int64(ref CreateTimestamp);
            codec.Int64(ref WriteTimestamp);
            codec.Array(ref StateBatches);
            CompleteCount(ref codec, ref DeliveryCompleteCount);
            codec.TaggedInt64(WriteNumberTag, ref WriteNumber, absent: 0);
            codec.EndOfStructure();
        }
    }

    /// <summary>What has changed since the snapshot, or the update, before it.</summary>
    internal sealed class Update : IMessage
    {
        public int SnapshotEpoch;
        public int LeaderEpoch;

        /// <summary>-1 for no change.</summary>
        public long StartOffset = -1;

        public int DeliveryCompleteCount = -1;
        public List<ShareStateBatch> StateBatches = [];
        public long WriteNumber;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref SnapshotEpoch);
            codec.Int32(ref LeaderEpoch);
            codec.Int64(ref StartOffset);
            codec.Array(ref StateBatches);
            CompleteCount(ref codec, ref DeliveryCompleteCount);
            codec.TaggedInt64(WriteNumberTag, ref WriteNumber, absent: 0);
            codec.EndOfStructure();
        }
    }

    private static void CompleteCount<TCodec>(ref TCodec codec, ref int value) where TCodec : struct, ICodec, allows ref struct
    {
        if (!codec.BeginTag(0, value != -1)) return;
        codec.Int32(ref value);
        codec.EndTag();
    }
}
