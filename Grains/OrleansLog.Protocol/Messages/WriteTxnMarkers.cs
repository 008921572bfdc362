using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>A coordinator has the leaders of partitions write the ends of transactions.</summary>
public sealed class WriteTxnMarkersRequest : IRequest<WriteTxnMarkersResponse>
{
    public List<WritableTxnMarker> Markers = [];

    public static ApiKey Api => ApiKey.WriteTxnMarkers;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Array(ref Markers);
        codec.EndOfStructure();
    }

    public sealed class WritableTxnMarker : IMessage
    {
        public long ProducerId;
        public short ProducerEpoch;

        /// <summary>Whether the transaction is committed.</summary>
        public bool TransactionResult;

        public List<WritableTxnMarkerTopic> Topics = [];
        public int CoordinatorEpoch;

        /// <summary>From 2 on the epoch is new with the marker (KIP-1228).</summary>
        public sbyte TransactionVersion;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int64(ref ProducerId);
            codec.Int16(ref ProducerEpoch);
            codec.Boolean(ref TransactionResult);
            codec.Array(ref Topics);
            codec.Int32(ref CoordinatorEpoch);
            if (codec.Version >= 2) codec.Int8(ref TransactionVersion);
            codec.EndOfStructure();
        }
    }

    public sealed class WritableTxnMarkerTopic : IMessage
    {
        public string Name = "";
        public List<int> PartitionIndexes = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Int32Array(ref PartitionIndexes);
            codec.EndOfStructure();
        }
    }
}

/// <summary>Whether each marker was written.</summary>
public sealed class WriteTxnMarkersResponse : IResponse
{
    public List<WritableTxnMarkerResult> Markers = [];

    public static ApiKey Api => ApiKey.WriteTxnMarkers;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Array(ref Markers);
        codec.EndOfStructure();
    }

    public sealed class WritableTxnMarkerResult : IMessage
    {
        public long ProducerId;
        public List<WritableTxnMarkerTopicResult> Topics = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int64(ref ProducerId);
            codec.Array(ref Topics);
            codec.EndOfStructure();
        }
    }

    public sealed class WritableTxnMarkerTopicResult : IMessage
    {
        public string Name = "";
        public List<WritableTxnMarkerPartitionResult> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class WritableTxnMarkerPartitionResult : IMessage
    {
        public int PartitionIndex;
        public ErrorCode ErrorCode;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref PartitionIndex);
            codec.Error(ref ErrorCode);
            codec.EndOfStructure();
        }
    }
}
