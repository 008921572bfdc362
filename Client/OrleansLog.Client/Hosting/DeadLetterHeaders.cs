namespace OrleansLog.Client;

/// <summary>The headers that a record gets on its way to a dead-letter topic. Their values are UTF-8 text.</summary>
public static class DeadLetterHeaders
{
    /// <summary>The topic that it was read from.</summary>
    public const string Topic = "dead-letter-topic";

    /// <summary>The partition that it was read from.</summary>
    public const string Partition = "dead-letter-partition";

    /// <summary>Its offset there.</summary>
    public const string Offset = "dead-letter-offset";

    /// <summary>The group that could not handle it.</summary>
    public const string Group = "dead-letter-group";

    /// <summary>The type of what was thrown last.</summary>
    public const string Error = "dead-letter-error";

    /// <summary>The message of what was thrown last.</summary>
    public const string Reason = "dead-letter-reason";
}
