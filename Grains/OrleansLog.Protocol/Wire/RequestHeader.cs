namespace OrleansLog.Protocol.Wire;

/// <summary>
/// What stands before every request body: header version 1, or 2 where the request's version is flexible. (Version 0,
/// without a client id, belonged to one request between old brokers and is not spoken.)
/// </summary>
/// <param name="ApiKey">Which request follows. Any number may have been sent: look it up in <see cref="Apis"/>.</param>
/// <param name="ApiVersion">The version of the body.</param>
/// <param name="CorrelationId">Chosen by the client; the response repeats it.</param>
/// <param name="ClientId">What the client calls itself, if anything.</param>
public readonly record struct RequestHeader(ApiKey ApiKey, short ApiVersion, int CorrelationId, string? ClientId)
{
    /// <summary>
    /// Reads a header and leaves the reader at the body, set to the body's version. Nothing says that this version is
    /// one that <see cref="Apis"/> knows: check before reading on.
    /// </summary>
    public static RequestHeader Read(ref WireReader reader)
    {
        reader.UseVersion(0, isFlexible: false);
        var header = new RequestHeader(
            (ApiKey)reader.ReadInt16(), reader.ReadInt16(), reader.ReadInt32(), reader.ReadNullableString());
        var isFlexible = Apis.IsFlexible(header.ApiKey, header.ApiVersion);
        reader.UseVersion(header.ApiVersion, isFlexible);
        if (isFlexible) reader.SkipTaggedFields();
        return header;
    }

    /// <summary>Writes this header and leaves the writer set to the body's version.</summary>
    public void Write(ref WireWriter writer)
    {
        writer.UseVersion(0, isFlexible: false);
        writer.WriteInt16((short)ApiKey);
        writer.WriteInt16(ApiVersion);
        writer.WriteInt32(CorrelationId);
        // The client id keeps its two-byte length even in a flexible header, so that any broker can read that far.
        writer.WriteNullableString(ClientId);
        var isFlexible = Apis.IsFlexible(ApiKey, ApiVersion);
        writer.UseVersion(ApiVersion, isFlexible);
        if (isFlexible) writer.WriteEmptyTaggedFields();
    }
}
