namespace OrleansLog.Protocol.Wire;

/// <summary>
/// What stands before every response body: header version 0, or 1 where the version is flexible. An ApiVersions
/// response always has version 0, because its reader cannot know yet what the broker speaks (KIP-511).
/// </summary>
/// <param name="CorrelationId">The correlation id of the request that is answered.</param>
public readonly record struct ResponseHeader(int CorrelationId)
{
    /// <summary>Reads a header and leaves the reader set to the body's version.</summary>
    public static ResponseHeader Read(ref WireReader reader, ApiKey key, short version)
    {
        var header = new ResponseHeader(reader.ReadInt32());
        reader.UseVersion(version, Apis.IsFlexible(key, version));
        if (HasTaggedFields(key, version)) reader.SkipTaggedFields();
        return header;
    }

    /// <summary>Writes this header and leaves the writer set to the body's version.</summary>
    public void Write(ref WireWriter writer, ApiKey key, short version)
    {
        writer.WriteInt32(CorrelationId);
        writer.UseVersion(version, Apis.IsFlexible(key, version));
        if (HasTaggedFields(key, version)) writer.WriteEmptyTaggedFields();
    }

    private static bool HasTaggedFields(ApiKey key, short version) =>
        key != ApiKey.ApiVersions && Apis.IsFlexible(key, version);
}
