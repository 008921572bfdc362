namespace OrleansLog.Blobs;

/// <summary>How patient a <see cref="BlobMetadataRegister"/> is.</summary>
public sealed record BlobRegisterOptions
{
    /// <summary>How long one attempt may take, in milliseconds.</summary>
    public int AnswerTimeoutMs { get; init; } = 10_000;

    /// <summary>How often a read is repeated before it fails. Writes never are.</summary>
    public int ReadRetriesMax { get; init; } = 3;

    /// <summary>How many keys one answer of a listing brings, 1 to 5000; null leaves it to the service.</summary>
    public int? ListPageSize { get; init; }
}
