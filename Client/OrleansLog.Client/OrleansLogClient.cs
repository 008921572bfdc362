using OrleansLog.Client.Transport;

namespace OrleansLog.Client;

/// <summary>
/// A client of one cluster: makes producers, consumers and the admin client, which share its connections and what it
/// knows of the cluster. Make one per cluster and process; it connects when something is first asked of it. Any thread.
/// </summary>
public sealed partial class OrleansLogClient : IAsyncDisposable
{
    /// <summary>A client of the cluster that <paramref name="bootstrapServers"/> belong to, all else by default.</summary>
    public OrleansLogClient(string bootstrapServers) : this(new ClientOptions { BootstrapServers = bootstrapServers })
    {
    }

    public OrleansLogClient(ClientOptions options) => Options = options;

    public ClientOptions Options { get; }

    /// <summary>Topics, configurations, groups and offsets.</summary>
    public AdminClient Admin { get; } = new();

    /// <summary>A producer of bytes: the fastest path.</summary>
    public Producer CreateProducer(ProducerOptions? options = null) => throw new NotSupportedException();

    /// <summary>A producer of keys and values. Serializers that are not given are the built-in ones (<see cref="Serdes.For{T}"/>).</summary>
    public Producer<TKey, TValue> CreateProducer<TKey, TValue>(
        ProducerOptions? options = null, ISerializer<TKey>? keySerializer = null, ISerializer<TValue>? valueSerializer = null) =>
        throw new NotSupportedException();

    /// <summary>A consumer of whole fetched batches, as bytes: the fastest path.</summary>
    public Consumer CreateConsumer(ConsumerOptions? options = null) => throw new NotSupportedException();

    /// <summary>A consumer of keys and values. Deserializers that are not given are the built-in ones (<see cref="Serdes.For{T}"/>).</summary>
    public Consumer<TKey, TValue> CreateConsumer<TKey, TValue>(
        ConsumerOptions? options = null, IDeserializer<TKey>? keyDeserializer = null, IDeserializer<TValue>? valueDeserializer = null) =>
        throw new NotSupportedException();

    /// <summary>Closes what it made and then its connections. Dispose producers and consumers first if their last records matter.</summary>
    public ValueTask DisposeAsync() => default;
}
