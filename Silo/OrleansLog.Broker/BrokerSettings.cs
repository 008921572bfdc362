using OrleansLog.Broker.Configuration;

namespace OrleansLog.Broker;

/// <summary>A broker's configuration, read once for the paths that cannot parse text for every request.</summary>
public sealed record BrokerSettings
{
    /// <summary>The largest request, in bytes (<c>socket.request.max.bytes</c>).</summary>
    public required int RequestBytesMax { get; init; }

    /// <summary>The most bytes of records in one fetch response, but for a first batch that is larger (<c>fetch.max.bytes</c>).</summary>
    public required int FetchBytesMax { get; init; }

    /// <summary>Requests of one connection that were read and not yet answered; beyond that nothing more is read from it.</summary>
    public int RequestsInFlightMax { get; init; } = 100;

    /// <summary>Connections open at once (<c>max.connections</c>).</summary>
    public required int ConnectionsMax { get; init; }

    /// <summary>A connection that says nothing for so long is closed (<c>connections.max.idle.ms</c>).</summary>
    public required TimeSpan ConnectionIdleMax { get; init; }

    /// <summary>Whether naming a topic makes it (<c>auto.create.topics.enable</c>).</summary>
    public required bool CreatesTopicsOnDemand { get; init; }

    public static BrokerSettings From(ConfigValues config) => new()
    {
        RequestBytesMax = config.Get(BrokerConfigs.SocketRequestMaxBytes),
        FetchBytesMax = config.Get(BrokerConfigs.FetchMaxBytes),
        ConnectionsMax = config.Get(BrokerConfigs.MaxConnections),
        ConnectionIdleMax = TimeSpan.FromMilliseconds(config.Get(BrokerConfigs.ConnectionsMaxIdleMs)),
        CreatesTopicsOnDemand = config.Get(BrokerConfigs.AutoCreateTopicsEnable),
    };
}
