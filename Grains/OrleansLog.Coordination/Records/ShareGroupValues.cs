using OrleansLog.Protocol.Wire;

namespace OrleansLog.Coordination.Records;

/// <summary>The versions of the keys of share groups in <c>__consumer_offsets</c>, which say what kind a record is of.</summary>
internal static class ShareGroupKeys
{
    public const short Member = 10;
    public const short Epoch = 11;
    public const short MemberAssignment = 14;
    public const short Topics = 15;
}

/// <summary>Kafka's values of share groups. All are of version 0 and flexible.</summary>
internal static class ShareGroupValues
{
    public const short Version = 0;

    internal sealed class Epoch : IMessage
    {
        public int Value;
        public long MetadataHash;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref Value);
            codec.Int64(ref MetadataHash);
            codec.EndOfStructure();
        }
    }

    internal sealed class Member : IMessage
    {
        public string? RackId;
        public string ClientId = "";
        public string ClientHost = "";
        public List<string> Topics = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.NullableString(ref RackId);
            codec.String(ref ClientId);
            codec.String(ref ClientHost);
            codec.StringArray(ref Topics);
            codec.EndOfStructure();
        }
    }

    internal sealed class MemberAssignment : IMessage
    {
        public int MemberEpoch;
        public int PreviousMemberEpoch = -1;
        public sbyte State;
        public List<ConsumerGroupValues.TopicPartitions> Assigned = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref MemberEpoch);
            codec.Int32(ref PreviousMemberEpoch);
            codec.Int8(ref State);
            codec.Array(ref Assigned);
            codec.EndOfStructure();
        }
    }

    /// <summary>How far the states of the group's share-partitions are made.</summary>
    internal sealed class Topics : IMessage
    {
        public List<TopicPartitionsInfo> Initializing = [];
        public List<TopicPartitionsInfo> Initialized = [];
        public List<TopicInfo> Deleting = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Array(ref Initializing);
            codec.Array(ref Initialized);
            codec.Array(ref Deleting);
            codec.EndOfStructure();
        }
    }

    internal sealed class TopicPartitionsInfo : IMessage
    {
        public Guid TopicId;
        public string TopicName = "";
        public List<int> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Uuid(ref TopicId);
            codec.String(ref TopicName);
            codec.Int32Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    /// <summary>A topic whose states are being deleted; which ones stands under a tag that is not Kafka's.</summary>
    internal sealed class TopicInfo : IMessage
    {
        private const int PartitionsTag = 10_000;

        public Guid TopicId;
        public string TopicName = "";
        public List<int> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Uuid(ref TopicId);
            codec.String(ref TopicName);
            if (codec.BeginTag(PartitionsTag, Partitions.Count > 0))
            {
                codec.Int32Array(ref Partitions);
                codec.EndTag();
            }
            codec.EndOfStructure();
        }
    }
}
