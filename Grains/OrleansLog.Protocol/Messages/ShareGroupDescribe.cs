using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Describes share groups (KIP-932).</summary>
public sealed class ShareGroupDescribeRequest : IRequest<ShareGroupDescribeResponse>
{
    public List<string> GroupIds = [];
    public bool IncludeAuthorizedOperations;

    public static ApiKey Api => ApiKey.ShareGroupDescribe;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.StringArray(ref GroupIds);
        codec.Boolean(ref IncludeAuthorizedOperations);
        codec.EndOfStructure();
    }
}

/// <summary>The groups, in the order asked for.</summary>
public sealed class ShareGroupDescribeResponse : IResponse
{
    public int ThrottleTimeMs;
    public List<DescribedGroup> Groups = [];

    public static ApiKey Api => ApiKey.ShareGroupDescribe;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Array(ref Groups);
        codec.EndOfStructure();
    }

    public sealed class DescribedGroup : IMessage
    {
        public ErrorCode ErrorCode;
        public string? ErrorMessage;
        public string GroupId = "";
        public string GroupState = "";
        public int GroupEpoch;
        public int AssignmentEpoch;
        public string AssignorName = "";
        public List<Member> Members = [];
        public int AuthorizedOperations = int.MinValue;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Error(ref ErrorCode);
            codec.NullableString(ref ErrorMessage);
            codec.String(ref GroupId);
            codec.String(ref GroupState);
            codec.Int32(ref GroupEpoch);
            codec.Int32(ref AssignmentEpoch);
            codec.String(ref AssignorName);
            codec.Array(ref Members);
            codec.Int32(ref AuthorizedOperations);
            codec.EndOfStructure();
        }
    }

    public sealed class Member : IMessage
    {
        public string MemberId = "";
        public string? RackId;
        public int MemberEpoch;
        public string ClientId = "";
        public string ClientHost = "";
        public List<string> SubscribedTopicNames = [];
        public Assignment Assignment = new();

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref MemberId);
            codec.NullableString(ref RackId);
            codec.Int32(ref MemberEpoch);
            codec.String(ref ClientId);
            codec.String(ref ClientHost);
            codec.StringArray(ref SubscribedTopicNames);
            codec.Structure(ref Assignment);
            codec.EndOfStructure();
        }
    }

    public sealed class Assignment : IMessage
    {
        public List<TopicPartitions> TopicPartitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Array(ref TopicPartitions);
            codec.EndOfStructure();
        }
    }

    /// <summary>Some partitions of a topic.</summary>
    public sealed class TopicPartitions : IMessage
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
}
