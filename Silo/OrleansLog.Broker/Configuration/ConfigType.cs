namespace OrleansLog.Broker.Configuration;

/// <summary>How the text of a config is read. The numbers are those of Kafka's DescribeConfigs answer (KIP-569).</summary>
public enum ConfigType : sbyte
{
    Unknown = 0,
    Boolean = 1,
    String = 2,
    Int = 3,
    Short = 4,
    Long = 5,
    Double = 6,
    List = 7,
    Class = 8,
    Password = 9,
}

/// <summary>Where a value came from. The numbers are those of Kafka's DescribeConfigs answer (KIP-226).</summary>
public enum ConfigSource : sbyte
{
    Unknown = 0,

    /// <summary>Set on the topic, when it was created or altered.</summary>
    DynamicTopic = 1,

    /// <summary>Set on one broker while it ran.</summary>
    DynamicBroker = 2,

    /// <summary>Set for all brokers while they ran.</summary>
    DynamicDefaultBroker = 3,

    /// <summary>Given when the broker started: command line, environment or settings file.</summary>
    StaticBroker = 4,

    /// <summary>Nobody set it.</summary>
    Default = 5,

    /// <summary>Set on the group.</summary>
    DynamicGroup = 8,
}

/// <summary>Whether and how far a config may change while the broker runs.</summary>
public enum ConfigUpdate
{
    /// <summary>Only at start.</summary>
    ReadOnly,

    /// <summary>While it runs, for one broker or for all.</summary>
    Dynamic,
}

/// <summary>What to do with one config (the operations of IncrementalAlterConfigs, KIP-339, with its numbers).</summary>
public enum ConfigOperation : sbyte
{
    Set = 0,

    /// <summary>Back to the value it would have had it never been set.</summary>
    Delete = 1,

    /// <summary>Add entries to a list; those already there stay as they are.</summary>
    Append = 2,

    /// <summary>Take entries out of a list.</summary>
    Subtract = 3,
}

/// <summary>One requested change of one config. <paramref name="Value"/> is not read for <see cref="ConfigOperation.Delete"/>.</summary>
public readonly record struct ConfigChange(string Name, ConfigOperation Operation, string? Value);

/// <summary>
/// A broker config that supplies a topic config's value where the topic does not set it.
/// <paramref name="Scale"/> turns its unit into the topic's: 3,600,000 for hours into milliseconds.
/// </summary>
public sealed record ConfigSynonym(string Name, long Scale = 1);
