namespace OrleansLog.Membership;

/// <summary>How patient a membership table in a blob container is.</summary>
public sealed record BlobMembershipOptions
{
    /// <summary>
    /// How long one attempt at a request may take, in milliseconds. A silo that finds another one dead cannot tell the
    /// cluster before the table answers, so this bounds a failover on top of the failure's detection.
    /// </summary>
    public int AnswerTimeoutMs { get; init; } = 5_000;

    /// <summary>How often a read is repeated before it fails. Conditional writes never are.</summary>
    public int ReadRetriesMax { get; init; } = 3;
}
