using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansLog.Client.Metadata;
using OrleansLog.Client.Transport;

namespace OrleansLog.Client;

/// <summary>
/// A client of one cluster: makes producers, consumers and the admin client, which share its connections and what it
/// knows of the cluster. Make one per cluster and process; it connects when something is first asked of it. Any thread.
/// </summary>
public sealed class OrleansLogClient : IAsyncDisposable
{
    private readonly Cluster _cluster;

    /// <summary>A client of the cluster that <paramref name="bootstrapServers"/> belong to, all else by default.</summary>
    public OrleansLogClient(string bootstrapServers) : this(new ClientOptions { BootstrapServers = bootstrapServers })
    {
    }

    /// <param name="options">How to find the cluster.</param>
    /// <param name="loggers">Where to log; nowhere if null.</param>
    /// <param name="time">The clock; the system's if null.</param>
    public OrleansLogClient(ClientOptions options, ILoggerFactory? loggers = null, TimeProvider? time = null)
        : this(options, null, loggers, time)
    {
    }

    /// <summary>A client that reaches its cluster by another way than the Kafka protocol over TCP.</summary>
    /// <param name="options">How patient to be.</param>
    /// <param name="transport">The way; the client disposes it.</param>
    /// <param name="loggers">Where to log; nowhere if null.</param>
    /// <param name="time">The clock; the system's if null.</param>
    public OrleansLogClient(ClientOptions options, IClusterTransport? transport, ILoggerFactory? loggers, TimeProvider? time)
    {
        time ??= TimeProvider.System;
        var logger = (loggers ?? NullLoggerFactory.Instance).CreateLogger<OrleansLogClient>();
        transport ??= new SocketTransport(options, time, logger);
        var metadata = new MetadataCache(transport, options, time, logger);
        transport.Stalled += metadata.RefreshBehind;
        _cluster = new Cluster(options, transport, metadata, time, logger);
        Admin = new AdminClient(_cluster);
    }

    public ClientOptions Options => _cluster.Options;

    /// <summary>Topics, configurations, groups and offsets.</summary>
    public AdminClient Admin { get; }

    /// <summary>A producer of bytes: the fastest path.</summary>
    public Producer CreateProducer(ProducerOptions? options = null) => new(_cluster, options ?? new ProducerOptions());

    /// <summary>A producer of keys and values. Serializers that are not given are the built-in ones (<see cref="Serdes.For{T}"/>).</summary>
    public Producer<TKey, TValue> CreateProducer<TKey, TValue>(
        ProducerOptions? options = null, ISerializer<TKey>? keySerializer = null, ISerializer<TValue>? valueSerializer = null) =>
        new(CreateProducer(options), keySerializer ?? Serdes.For<TKey>(), valueSerializer ?? Serdes.For<TValue>());

    /// <summary>A consumer of whole fetched batches, as bytes: the fastest path.</summary>
    public Consumer CreateConsumer(ConsumerOptions? options = null) => new(_cluster, options ?? new ConsumerOptions());

    /// <summary>A consumer of keys and values. Deserializers that are not given are the built-in ones (<see cref="Serdes.For{T}"/>).</summary>
    public Consumer<TKey, TValue> CreateConsumer<TKey, TValue>(
        ConsumerOptions? options = null, IDeserializer<TKey>? keyDeserializer = null, IDeserializer<TValue>? valueDeserializer = null) =>
        new(_cluster, options ?? new ConsumerOptions(), keyDeserializer ?? Serdes.For<TKey>(), valueDeserializer ?? Serdes.For<TValue>());

    /// <summary>
    /// A consumer that takes records as from a queue, as a member of a share group (KIP-932). Deserializers that are not given
    /// are the built-in ones (<see cref="Serdes.For{T}"/>).
    /// </summary>
    public ShareConsumer<TKey, TValue> CreateShareConsumer<TKey, TValue>(
        ShareConsumerOptions options, IDeserializer<TKey>? keyDeserializer = null, IDeserializer<TValue>? valueDeserializer = null) =>
        new(_cluster, options, keyDeserializer ?? Serdes.For<TKey>(), valueDeserializer ?? Serdes.For<TValue>());

    /// <summary>Closes the connections. Dispose producers and consumers first: what they still hold is lost.</summary>
    public ValueTask DisposeAsync() => _cluster.Transport.DisposeAsync();
}
