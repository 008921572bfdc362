using System.Globalization;
using OrleansLog.Broker.Configuration;
using OrleansLog.Replication.Brokers;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Broker;

/// <summary>What the embedded engine is started with.</summary>
public sealed record BrokerOptions
{
    /// <summary>Holds everything; made where it is missing. One process at a time owns it.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>The brokers of this process, each with its own address; their ids count from 0.</summary>
    public required IReadOnlyList<BrokerAddress> Brokers { get; init; }

    /// <summary>Broker configuration and the topics' defaults.</summary>
    public ConfigValues Config { get; init; } = ConfigValues.Empty;

    /// <summary>
    /// Opens a broker's endpoint when it begins to serve; disposed when it stops or is killed. A broker that is started again
    /// gets another one on the same address.
    /// </summary>
    public Func<Broker, IAsyncDisposable>? Serve { get; init; }

    /// <summary>Where topics with <c>remote.storage.enable</c> keep their segments; null where there is none.</summary>
    public IRemoteStore? RemoteStore { get; init; }

    /// <summary>Brokers that listen on one host, with what their configuration says of themselves.</summary>
    /// <param name="dataDirectory">Holds everything.</param>
    /// <param name="host">Where they listen.</param>
    /// <param name="addresses">Where clients are told to reach them.</param>
    /// <param name="config">What is set besides.</param>
    public static BrokerOptions At(string dataDirectory, string host, IReadOnlyList<BrokerAddress> addresses, ConfigValues config) => new()
    {
        DataDirectory = dataDirectory,
        Brokers = addresses,
        Config = config
            .With(ConfigSource.StaticBroker, BrokerConfigs.LogDirs.Name, dataDirectory)
            .With(ConfigSource.StaticBroker, BrokerConfigs.Listeners.Name, Uris(addresses.Select(address => address with { Host = host })))
            .With(ConfigSource.StaticBroker, BrokerConfigs.AdvertisedListeners.Name, Uris(addresses)),
    };

    private static string Uris(IEnumerable<BrokerAddress> addresses) =>
        string.Join(',', addresses.Select(address => string.Create(CultureInfo.InvariantCulture, $"PLAINTEXT://{address.Host}:{address.Port}")));
}
