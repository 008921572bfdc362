namespace OrleansLog.Protocol.Wire;

/// <summary>
/// A message or a structure within one, whose layout over all its versions is described once, in
/// <see cref="Describe{TCodec}"/>. The same description reads and writes: the codec decides which.
/// </summary>
public interface IMessage
{
    /// <summary>
    /// Hands every field of this version to the codec, in wire order. Fields are handed by reference: a reading codec
    /// sets them, a writing codec only looks. A structure of a flexible version ends with
    /// <see cref="ICodec.EndOfStructure"/>.
    /// </summary>
    void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct;
}

/// <summary>A message that is the body of a request.</summary>
public interface IRequest : IMessage
{
    static abstract ApiKey Api { get; }
}

/// <summary>A request and the response that answers it.</summary>
public interface IRequest<TResponse> : IRequest where TResponse : class, IResponse, new();

/// <summary>A message that is the body of a response.</summary>
public interface IResponse : IMessage
{
    static abstract ApiKey Api { get; }
}
