using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Asks which broker coordinates a group or transaction; several at once from version 4 (KIP-699).</summary>
public sealed class FindCoordinatorRequest : IRequest<FindCoordinatorResponse>
{
    public string Key = "";

    /// <summary>0 a group, 1 a transaction, 2 a share group (KIP-932).</summary>
    public sbyte KeyType;

    public List<string> CoordinatorKeys = [];

    public static ApiKey Api => ApiKey.FindCoordinator;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        if (codec.Version <= 3) codec.String(ref Key);
        if (codec.Version >= 1) codec.Int8(ref KeyType);
        if (codec.Version >= 4) codec.StringArray(ref CoordinatorKeys);
        codec.EndOfStructure();
    }
}

/// <summary>The coordinating broker of each key.</summary>
public sealed class FindCoordinatorResponse : IResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public string? ErrorMessage;
    public int NodeId;
    public string Host = "";
    public int Port;
    public List<Coordinator> Coordinators = [];

    public static ApiKey Api => ApiKey.FindCoordinator;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        if (codec.Version >= 1) codec.Int32(ref ThrottleTimeMs);
        if (codec.Version <= 3) codec.Error(ref ErrorCode);
        if (codec.Version is >= 1 and <= 3) codec.NullableString(ref ErrorMessage);
        if (codec.Version <= 3) codec.Int32(ref NodeId);
        if (codec.Version <= 3) codec.String(ref Host);
        if (codec.Version <= 3) codec.Int32(ref Port);
        if (codec.Version >= 4) codec.Array(ref Coordinators);
        codec.EndOfStructure();
    }

    public sealed class Coordinator : IMessage
    {
        public string Key = "";
        public int NodeId;
        public string Host = "";
        public int Port;
        public ErrorCode ErrorCode;
        public string? ErrorMessage;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Key);
            codec.Int32(ref NodeId);
            codec.String(ref Host);
            codec.Int32(ref Port);
            codec.Error(ref ErrorCode);
            codec.NullableString(ref ErrorMessage);
            codec.EndOfStructure();
        }
    }
}
