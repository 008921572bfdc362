using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Logging;
using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Groups;
using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Nodes;
using OrleansLog.Broker.Shares;
using OrleansLog.Broker.Tiering;
using OrleansLog.Broker.Topics;
using OrleansLog.Broker.Transactions;
using OrleansLog.Protocol;
using OrleansLog.Storage;

namespace OrleansLog.Broker.Embedded;

/// <summary>
/// One or several brokers in one process, on one data directory that they own together. What they agree on lies in
/// <c>metadata</c> below it, the logs of broker N in <c>broker-N</c>. They replicate to one another, and single ones can be
/// killed, paused and started again while the others go on.
/// </summary>
public sealed class EmbeddedEngine : IAsyncDisposable
{
    private readonly IDisposable _ownership;
    private readonly FileMetadataRegister _register;
    private readonly EmbeddedCluster _cluster;
    private readonly TopicControl _topics;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly CancellationTokenSource _stopping = new();
    private Task _healing = Task.CompletedTask;

    private EmbeddedEngine(
        IDisposable ownership, FileMetadataRegister register, ILogFileSystem files, BrokerOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        _ownership = ownership;
        _register = register;
        _cluster = new EmbeddedCluster(files, register, options, time, loggers)
        {
            RemoteStore = options.RemoteStore is { } store ? new OwnedRemoteStore(store, () => Cluster.Image.ClusterId, time) : null,
        };
        _cluster.Nodes = [.. options.Brokers.Select((address, number) => new BrokerNode(new BrokerId(number), address, _cluster))];
        _topics = new TopicControl(
            register, _cluster.Directory, _cluster, options.Config, (id, record) => _cluster.RecordChanged(null, id, record), time,
            loggers.CreateLogger<TopicControl>())
        { RemoteStore = _cluster.RemoteStore };
        _cluster.Topics = _topics;
    }

    /// <summary>The brokers that run at this moment, paused ones among them, by id from 0.</summary>
    public IReadOnlyList<Broker> Brokers => [.. _cluster.Nodes.Select(node => node.Broker).OfType<Broker>()];

    /// <summary>The cluster as its brokers know it.</summary>
    public ClusterDirectory Cluster => _cluster.Directory;

    /// <summary>Claims the data directory, opens everything in it and recovers what was not closed cleanly.</summary>
    /// <exception cref="DirectoryInUseException">Another process owns the data directory.</exception>
    /// <exception cref="IOException">The directory or a log in it cannot be used; the message says which and why.</exception>
    /// <exception cref="InvalidDataException">The directory holds something else, or is of another format.</exception>
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
            await engine.LoadAsync(cancellationToken);
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

    /// <summary>Ends a broker as if its process had been killed.</summary>
    public Task<BrokerOutcome> KillAsync(BrokerId id) => ChangeAsync(id, async node =>
    {
        if (!node.IsRunning)
            return new(false, $"Broker {id} is down already.");
        await node.KillAsync();
        return new(true, $"Broker {id} is killed; 'start' brings it back.");
    });

    /// <summary>Ends a broker after it has handed over what it leads.</summary>
    public Task<BrokerOutcome> StopAsync(BrokerId id) => ChangeAsync(id, async node =>
    {
        if (!node.IsRunning)
            return new(false, $"Broker {id} is down already.");
        await node.StopAsync();
        return new(true, $"Broker {id} has handed over and stopped; 'start' brings it back.");
    });

    /// <summary>Starts a broker that is down.</summary>
    public Task<BrokerOutcome> StartAsync(BrokerId id) => ChangeAsync(id, async node =>
    {
        if (node.IsRunning)
            return new(false, $"Broker {id} is running already.");
        await StartAsync([node], _stopping.Token);
        return new(true, $"Broker {id} runs again.");
    });

    /// <summary>
    /// Stops a broker in its tracks, as SIGSTOP would. The others take it for dead after
    /// <c>broker.session.timeout.ms</c>.
    /// </summary>
    public Task<BrokerOutcome> PauseAsync(BrokerId id) => ChangeAsync(id, node =>
    {
        if (!node.IsRunning || node.Gate.IsPaused)
            return Task.FromResult(new BrokerOutcome(false, $"Broker {id} is {(node.IsRunning ? "paused already" : "down")}."));
        node.Gate.Close();
        _ = SuspectAsync(node);
        return Task.FromResult(new BrokerOutcome(true, $"Broker {id} is paused; 'resume' lets it go on."));
    });

    /// <summary>Lets a paused broker go on.</summary>
    public Task<BrokerOutcome> ResumeAsync(BrokerId id) => ChangeAsync(id, node =>
    {
        if (!node.Gate.IsPaused)
            return Task.FromResult(new BrokerOutcome(false, $"Broker {id} is not paused."));
        node.Resume();
        return Task.FromResult(new BrokerOutcome(true, $"Broker {id} goes on."));
    });

    /// <summary>Flushes and closes every log, and gives the data directory free.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _healing;
        await Task.WhenAll(_cluster.Nodes.Select(node => node.StopServingAsync()));
        await Task.WhenAll(_cluster.Nodes.Select(node => node.StopWithAllAsync()));
        foreach (var node in _cluster.Nodes)
            node.Dispose();
        _topics.Dispose();
        _register.Dispose();
        _turn.Dispose();
        _stopping.Dispose();
        _ownership.Dispose();
    }

    private async Task LoadAsync(CancellationToken cancellationToken)
    {
        var cluster = await ClusterRecord.ReadOrFoundAsync(_register, cancellationToken);
        await _topics.LoadAsync(cluster.ClusterId, cancellationToken);
        await _topics.EndChangesCutShortAsync(cancellationToken);
        OffsetsTopic.Topic.Check(Cluster.Image, _cluster.Config);
        TransactionTopic.Topic.Check(Cluster.Image, _cluster.Config);
        ShareStateTopic.Topic.Check(Cluster.Image, _cluster.Config);
        await StartAsync(_cluster.Nodes, cancellationToken);
        var delayMs = _cluster.Config.Get(BrokerConfigs.ReplicaRestoreDelayMs);
        if (delayMs >= 0)
            _healing = new ReplicaHealing(_topics, TimeSpan.FromMilliseconds(delayMs), _cluster.Time, _cluster.Loggers.CreateLogger<ReplicaHealing>()).RunAsync(_stopping.Token);
    }

    // All open before any is known to live: else the first would lead everything.
    private static async Task StartAsync(IReadOnlyList<BrokerNode> nodes, CancellationToken cancellationToken)
    {
        await Task.WhenAll(nodes.Select(node => node.OpenAsync(cancellationToken)));
        foreach (var node in nodes)
            node.Announce();
        await Task.WhenAll(nodes.Select(node => node.LeadPreferredAsync()));
        foreach (var node in nodes)
            node.Join();
    }

    private async Task SuspectAsync(BrokerNode node)
    {
        try
        {
            var timeout = TimeSpan.FromMilliseconds(_cluster.Config.Get(BrokerConfigs.BrokerSessionTimeoutMs));
            await Task.Delay(timeout, _cluster.Time, _stopping.Token);
            if (node.Gate.IsPaused)
                _cluster.Left(node);
        }
        catch (OperationCanceledException)
        {
            // Everything stops.
        }
    }

    private async Task<BrokerOutcome> ChangeAsync(BrokerId id, Func<BrokerNode, Task<BrokerOutcome>> change)
    {
        if (_cluster.Nodes.FirstOrDefault(node => node.Id == id) is not { } node)
            return new(false, $"There is no broker {id}; this process has brokers 0 to {_cluster.Nodes.Count - 1}.");
        await _turn.WaitAsync(_stopping.Token);
        try
        {
            return await change(node);
        }
        finally
        {
            _turn.Release();
        }
    }
}

/// <summary>What became of a change of one broker's life.</summary>
/// <param name="IsChanged">Whether anything changed.</param>
/// <param name="Text">What happened, or why nothing did, for the person who asked.</param>
public sealed record BrokerOutcome(bool IsChanged, string Text);
