namespace OrleansLog.Broker.Topics;

/// <summary>Which names a topic may have: Kafka's rule, because existing tools and directory names rely on it.</summary>
public static class TopicName
{
    /// <summary>The longest name, so that <c>name-partition</c> still fits a file name of 255 bytes.</summary>
    public const int LengthMax = 249;

    /// <summary>Holds the committed offsets of consumer groups.</summary>
    public const string ConsumerOffsets = "__consumer_offsets";

    /// <summary>Holds the state of transactions.</summary>
    public const string TransactionState = "__transaction_state";

    /// <summary>Holds what share groups have delivered.</summary>
    public const string ShareGroupState = "__share_group_state";

    /// <summary>Topics that the brokers keep for themselves; clients see them marked as internal.</summary>
    public static bool IsInternal(string name) => name is ConsumerOffsets or TransactionState or ShareGroupState;

    /// <summary>Why <paramref name="name"/> cannot name a topic, or null when it can.</summary>
    public static string? Refuse(string name) => name switch
    {
        "" => "A topic name must not be empty.",
        "." or ".." => $"A topic must not be called '{name}'.",
        { Length: > LengthMax } => $"The topic name is {name.Length} characters long; {LengthMax} is the most.",
        _ when name.AsSpan().ContainsAnyExcept(Allowed) =>
            $"The topic name '{name}' has a character other than a-z, A-Z, 0-9, '.', '_' and '-'.",
        _ => null,
    };

    private static readonly System.Buffers.SearchValues<char> Allowed = System.Buffers.SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
}
