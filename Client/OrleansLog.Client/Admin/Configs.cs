namespace OrleansLog.Client;

/// <summary>What a configuration belongs to, in Kafka's numbers.</summary>
public enum ConfigResourceType : sbyte
{
    Topic = 2,
    Broker = 4,
    BrokerLogger = 8,
    ClientMetrics = 16,
    Group = 32,
}

/// <summary>One topic, one broker (its id as text, or empty for the default of all brokers), or one group.</summary>
public readonly record struct ConfigResource(ConfigResourceType Type, string Name)
{
    public static ConfigResource Topic(string name) => new(ConfigResourceType.Topic, name);
    public static ConfigResource Broker(int id) => new(ConfigResourceType.Broker, id.ToString(System.Globalization.CultureInfo.InvariantCulture));
    public override string ToString() => $"{Type} {Name}";
}

/// <summary>Where the value of a configuration entry comes from, in Kafka's numbers.</summary>
public enum ConfigSource : sbyte
{
    Unknown = 0,
    Topic = 1,
    DynamicBroker = 2,
    DynamicDefaultBroker = 3,
    StaticBroker = 4,
    Default = 5,
    DynamicBrokerLogger = 6,
    ClientMetrics = 7,
    Group = 8,
}

/// <summary>One configuration entry.</summary>
/// <param name="Name">Its name, as Kafka has it.</param>
/// <param name="Value">Its value; null when it is sensitive or has none.</param>
/// <param name="Source">Where that value comes from.</param>
/// <param name="IsReadOnly">Whether it can only be set when the broker starts.</param>
/// <param name="IsSensitive">Whether its value is kept secret.</param>
/// <param name="Documentation">What it means, if the broker says so.</param>
public sealed record ConfigEntry(
    string Name, string? Value, ConfigSource Source, bool IsReadOnly, bool IsSensitive, string? Documentation)
{
    public bool IsDefault => Source is ConfigSource.Default or ConfigSource.StaticBroker;
}

/// <summary>What to do to a configuration entry, in Kafka's numbers (KIP-339).</summary>
public enum ConfigOperation : sbyte
{
    Set = 0,

    /// <summary>Return to the default.</summary>
    Delete = 1,

    /// <summary>Add to a list.</summary>
    Append = 2,

    /// <summary>Take out of a list.</summary>
    Subtract = 3,
}

/// <summary>One change of one configuration entry; entries that are not named stay as they are.</summary>
public readonly record struct ConfigChange(string Name, ConfigOperation Operation, string? Value)
{
    public static ConfigChange Set(string name, string value) => new(name, ConfigOperation.Set, value);
    public static ConfigChange Delete(string name) => new(name, ConfigOperation.Delete, null);
}
