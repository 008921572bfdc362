using OrleansLog.Storage.Tiering;

namespace OrleansLog.Hosting;

/// <summary>The broker that an application's own silo carries.</summary>
public sealed record LogBrokerOptions
{
    /// <summary>Holds the broker's records; made where it is missing. One process at a time owns it.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>
    /// Who the broker is among those of its cluster, from 0. It stays with the data directory: to be said the first time at
    /// least, unless the metadata are in that directory too, which makes it broker 0.
    /// </summary>
    public int? BrokerId { get; init; }

    /// <summary>Where the brokers of the cluster keep what they agree on; the same place for all.</summary>
    public MetadataStore Metadata { get; init; } = MetadataStore.Files;

    /// <summary>Where the broker stands: replicas are spread over racks (KIP-36).</summary>
    public string? Rack { get; init; }

    /// <summary>The address or name on which Kafka clients are served.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>The port for that; 0 lets the system choose, another one each time.</summary>
    public int KafkaPort { get; init; } = 9092;

    /// <summary>The name that Kafka clients are told to connect to; null for <see cref="Host"/>.</summary>
    public string? AdvertisedHost { get; init; }

    /// <summary>Broker configs by Kafka's names (<c>log.segment.bytes</c>).</summary>
    public IReadOnlyDictionary<string, string> Config { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// Where topics with <c>remote.storage.enable</c> keep their segments, the same place for all brokers: a
    /// <c>BlobRemoteStore</c> say. Null for the directory in the config <c>remote.storage.directory</c>, if that is set.
    /// </summary>
    public IRemoteStore? RemoteStore { get; init; }

    /// <summary>
    /// Whether the silo's membership is set to find a dead or hanging silo within one to two seconds, as
    /// <see cref="FailureDetection"/> says. Otherwise partitions wait for as long as the application's own settings take.
    /// </summary>
    public bool DetectsFailuresQuickly { get; init; } = true;
}
