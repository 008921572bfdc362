namespace OrleansLog.Client;

/// <summary>
/// How a client finds the cluster and how patient it is. Immutable: derive a variant with <c>with</c>.
/// </summary>
public sealed record ClientOptions
{
    /// <summary>Brokers to ask first, <c>host:port</c> separated by commas. One that answers is enough.</summary>
    public string BootstrapServers { get; init; } = "127.0.0.1:9092";

    /// <summary>What this client calls itself towards the brokers; it shows in their logs and metrics.</summary>
    public string ClientId { get; init; } = "orleanslog";

    /// <summary>How long one attempt to connect may take, in milliseconds.</summary>
    public int ConnectTimeoutMs { get; init; } = 10_000;

    /// <summary>How long a broker may take over one request before its connection is given up, in milliseconds.</summary>
    public int RequestTimeoutMs { get; init; } = 30_000;

    /// <summary>How long a whole operation may take with all its retries, in milliseconds (admin calls, commits, lookups).</summary>
    public int OperationTimeoutMs { get; init; } = 60_000;

    /// <summary>The wait before the first retry, in milliseconds; it doubles with each further one.</summary>
    public int RetryBackoffMs { get; init; } = 50;

    /// <summary>The longest wait between two retries, in milliseconds.</summary>
    public int RetryBackoffMsMax { get; init; } = 1_000;

    /// <summary>
    /// How long a topic that brokers do not know is waited for, in milliseconds: a new one takes a moment to be known
    /// everywhere.
    /// </summary>
    public int UnknownTopicWaitMsMax { get; init; } = 5_000;

    /// <summary>After this many milliseconds cached metadata is asked for again, even if nothing went wrong.</summary>
    public int MetadataAgeMsMax { get; init; } = 300_000;

    /// <summary>The largest response that is accepted, in bytes; a broker that announces more is disconnected.</summary>
    public int ResponseBytesMax { get; init; } = 256 * 1024 * 1024;

    /// <summary>
    /// Draws what is left to chance: how much the waits between retries differ, and with which partition records without a
    /// key begin. A simulation gives one with a seed; any other must bear many threads.
    /// </summary>
    public Random Random { get; init; } = Random.Shared;

    /// <summary>An id that no other client has.</summary>
    internal Guid NewId()
    {
        Span<byte> bytes = stackalloc byte[16];
        Random.NextBytes(bytes);
        return new Guid(bytes);
    }

    /// <summary>The kernel's receive buffer per connection, in bytes; 0 leaves it to the system.</summary>
    public int SocketReceiveBufferBytes { get; init; }

    /// <summary>The kernel's send buffer per connection, in bytes; 0 leaves it to the system.</summary>
    public int SocketSendBufferBytes { get; init; }
}
