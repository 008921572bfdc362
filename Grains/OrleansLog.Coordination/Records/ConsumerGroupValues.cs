using OrleansLog.Protocol.Wire;

namespace OrleansLog.Coordination.Records;

/// <summary>Kafka's values of consumer groups. All are of version 0 and flexible.</summary>
internal static class ConsumerGroupValues
{
    public const short Version = 0;

    /// <summary>An epoch: of the group, or of its target.</summary>
    internal sealed class Epoch : IMessage
    {
        public int Value;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref Value);
            codec.EndOfStructure();
        }
    }

    /// <summary>The topics that the group reads, as they were when it last looked.</summary>
    internal sealed class Topics : IMessage
    {
        public List<Topic> Entries = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Array(ref Entries);
            codec.EndOfStructure();
        }
    }

    internal sealed class Topic : IMessage
    {
        public Guid TopicId;
        public string TopicName = "";
        public int PartitionCount;

        /// <summary>Racks of partitions, which Kafka wrote before 4.0.</summary>
        public List<PartitionRacks> Racks = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Uuid(ref TopicId);
            codec.String(ref TopicName);
            codec.Int32(ref PartitionCount);
            codec.Array(ref Racks);
            codec.EndOfStructure();
        }
    }

    internal sealed class PartitionRacks : IMessage
    {
        public int Partition;
        public List<string> Racks = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref Partition);
            codec.StringArray(ref Racks);
            codec.EndOfStructure();
        }
    }

    internal sealed class MemberSubscription : IMessage
    {
        public string? InstanceId;
        public string? RackId;
        public string ClientId = "";
        public string ClientHost = "";
        public List<string> Topics = [];
        public string? Pattern;
        public int RebalanceTimeoutMs = -1;
        public string? Assignor;
        public Classic? Classic;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.NullableString(ref InstanceId);
            codec.NullableString(ref RackId);
            codec.String(ref ClientId);
            codec.String(ref ClientHost);
            codec.StringArray(ref Topics);
            codec.NullableString(ref Pattern);
            codec.Int32(ref RebalanceTimeoutMs);
            codec.NullableString(ref Assignor);
            // A nullable structure within its tag, and so behind a marker of its own.
            if (codec.BeginTag(0, Classic is not null))
            {
                codec.NullableStructure(ref Classic);
                codec.EndTag();
            }
            codec.EndOfStructure();
        }
    }

    /// <summary>What a member of the classic protocol said when it joined.</summary>
    internal sealed class Classic : IMessage
    {
        public int SessionTimeoutMs;
        public List<Protocol> Protocols = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref SessionTimeoutMs);
            codec.Array(ref Protocols);
            codec.EndOfStructure();
        }
    }

    internal sealed class Protocol : IMessage
    {
        public string Name = "";
        public ReadOnlyMemory<byte> Metadata;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Bytes(ref Metadata);
            codec.EndOfStructure();
        }
    }

    /// <summary>What a member is to read in the end.</summary>
    internal sealed class Target : IMessage
    {
        public List<TopicPartitions> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    /// <summary>What a member has.</summary>
    internal sealed class MemberAssignment : IMessage
    {
        public int MemberEpoch;
        public int PreviousMemberEpoch = -1;
        public sbyte State;
        public List<TopicPartitions> Assigned = [];
        public List<TopicPartitions> PendingRevocation = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref MemberEpoch);
            codec.Int32(ref PreviousMemberEpoch);
            codec.Int8(ref State);
            codec.Array(ref Assigned);
            codec.Array(ref PendingRevocation);
            codec.EndOfStructure();
        }
    }

    internal sealed class TopicPartitions : IMessage
    {
        public Guid TopicId;
        public List<int> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Uuid(ref TopicId);
            codec.Int32Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    /// <summary>The topics that an expression matches.</summary>
    internal sealed class Pattern : IMessage
    {
        public List<string> Topics = [];

        /// <summary>A count of the metadata that it was matched against; not used here.</summary>
        public long MetadataVersion;

        /// <summary>When it was matched, in milliseconds since the Unix epoch.</summary>
        public long Timestamp;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.StringArray(ref Topics);
            codec.Int64(ref MetadataVersion);
            codec.Int64(ref Timestamp);
            codec.EndOfStructure();
        }
    }
}
