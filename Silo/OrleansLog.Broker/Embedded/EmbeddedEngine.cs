using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Logging;
using OrleansLog.Broker.Groups;
using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Partitions;
using OrleansLog.Broker.Topics;
using OrleansLog.Coordination;
using OrleansLog.Protocol;
using OrleansLog.Storage;

namespace OrleansLog.Broker.Embedded;

/// <summary>
/// One or several brokers in one process, on one data directory that they own together. What they agree on lies in
/// <c>metadata</c> below it, the logs of broker N in <c>broker-N</c>.
/// </summary>
public sealed class EmbeddedEngine : IAsyncDisposable
{
    private readonly IDisposable _ownership;
    private readonly FileMetadataRegister _register;
    private readonly TopicControl _topics;
    private readonly ImmutableDictionary<BrokerId, PartitionStore> _stores;
    private readonly Housekeeping _housekeeping;

    private EmbeddedEngine(
        IDisposable ownership, FileMetadataRegister register, ILogFileSystem files, BrokerOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        _ownership = ownership;
        _register = register;
        var ids = Enumerable.Range(0, options.Brokers.Count).Select(number => new BrokerId(number)).ToList();
        _stores = ids.ToImmutableDictionary(id => id, id => NewStore(id, files, options, time, loggers));
        _topics = new TopicControl(register, _stores, options.Config, loggers.CreateLogger<TopicControl>());
        Brokers = [.. ids.Select(id => NewBroker(id, options, time, loggers))];
        _topics.OnPartitionsOpened = topic => new OffsetsElection(Brokers, time).TakeOverAsync(topic);
        _topics.OnDeleted = ForgetAsync;
        _housekeeping = new Housekeeping(_stores.Values, options.Config, time, loggers.CreateLogger<Housekeeping>());
    }

    /// <summary>The brokers, by id from 0.</summary>
    public ImmutableArray<Broker> Brokers { get; }

    /// <summary>Claims the data directory, opens everything in it and recovers what was not closed cleanly.</summary>
    /// <exception cref="DirectoryInUseException">Another process owns the data directory.</exception>
    /// <exception cref="IOException">The directory or a log in it cannot be used; the message says which and why.</exception>
    /// <exception cref="InvalidDataException">The directory holds something else, or is of a later format.</exception>
    public static async Task<EmbeddedEngine> StartAsync(
        BrokerOptions options, ILogFileSystem files, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        files.CreateDirectory(options.DataDirectory);
        var owner = string.Create(CultureInfo.InvariantCulture, $"process {Environment.ProcessId} on {Environment.MachineName}");
        var ownership = files.Lock(options.DataDirectory, owner);
        EmbeddedEngine? engine = null;
        try
        {
            var register = FileMetadataRegister.Open(files, Path.Combine(options.DataDirectory, "metadata"));
            engine = new EmbeddedEngine(ownership, register, files, options, time, loggers);
            await engine.LoadAsync(options, cancellationToken);
            return engine;
        }
        catch
        {
            if (engine is not null)
                await engine.DisposeAsync();
            else
                ownership.Dispose();
            throw;
        }
    }

    /// <summary>Flushes and closes every log, and gives the data directory free.</summary>
    public async ValueTask DisposeAsync()
    {
        await _housekeeping.DisposeAsync();
        foreach (var broker in Brokers)
            await broker.Groups.CloseAsync();
        await Task.WhenAll(_stores.Values.Select(store => store.CloseAsync()));
        _topics.Dispose();
        _register.Dispose();
        _ownership.Dispose();
    }

    private async Task LoadAsync(BrokerOptions options, CancellationToken cancellationToken)
    {
        var cluster = await ReadOrFoundClusterAsync(cancellationToken);
        var brokers = options.Brokers.Select((address, number) => new BrokerImage(new BrokerId(number), address.Host, address.Port));
        await _topics.LoadAsync(cluster.ClusterId, [.. brokers], cancellationToken);
        CheckOffsetsTopic();
    }

    private void CheckOffsetsTopic()
    {
        var wanted = Brokers[0].Groups.Options.PartitionCount;
        if (_topics.Image.FindTopic(TopicName.ConsumerOffsets) is { } topic && topic.Partitions.Length != wanted)
            throw new InvalidDataException(
                $"{TopicName.ConsumerOffsets} was made with {topic.Partitions.Length} partitions, which places every group; " +
                $"start with --config offsets.topic.num.partitions={topic.Partitions.Length} instead of {wanted}.");
    }

    private async Task<ClusterRecord> ReadOrFoundClusterAsync(CancellationToken cancellationToken)
    {
        if (await _register.GetAsync(ClusterRecord.Key, cancellationToken) is { } entry)
            return Accept(ClusterRecord.Parse(entry.Document.Span));
        // Kafka's cluster ids are UUIDs in URL-safe base 64; tools print them as they come.
        var id = Convert.ToBase64String(Guid.NewGuid().ToByteArray()).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        var founded = new ClusterRecord(id, ClusterRecord.CurrentFormatVersion);
        await _register.PutAsync(ClusterRecord.Key, founded.Serialize(), expected: null, cancellationToken);
        return founded;
    }

    private static ClusterRecord Accept(ClusterRecord cluster) => cluster.FormatVersion <= ClusterRecord.CurrentFormatVersion
        ? cluster
        : throw new InvalidDataException(
            $"The data directory has format {cluster.FormatVersion}; this release reads up to {ClusterRecord.CurrentFormatVersion}. " +
            "Start a later release on it, or choose another directory.");

    private static PartitionStore NewStore(
        BrokerId id, ILogFileSystem files, BrokerOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        var directory = Path.Combine(options.DataDirectory, $"broker-{id}");
        files.CreateDirectory(directory);
        return new PartitionStore(files, directory, time, loggers);
    }

    private Broker NewBroker(BrokerId id, BrokerOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        var ports = new GroupPorts(time, new TopicDirectory(_topics), Guid.NewGuid, loggers.CreateLogger<GroupCoordinator>());
        var groups = new GroupCoordinator(OffsetsTopic.Options(options.Config), ports);
        return new Broker(id, _stores[id], _topics, groups, BrokerSettings.From(options.Config), time);
    }

    private async ValueTask ForgetAsync(TopicImage topic)
    {
        var partitions = Enumerable.Range(0, topic.Partitions.Length).Select(index => new TopicPartition(topic.Name, index)).ToList();
        foreach (var broker in Brokers)
            await broker.Groups.ForgetPartitionsAsync(partitions);
    }
}
