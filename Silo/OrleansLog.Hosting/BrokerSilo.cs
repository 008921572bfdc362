using Orleans.Runtime;
using OrleansLog.Broker;
using OrleansLog.Broker.Clustered;
using OrleansLog.Grains;
using OrleansLog.Grains.Placement;
using OrleansLog.Protocol;
using OrleansLog.Replication.Brokers;
using OrleansLog.Replication.Metadata;
using OrleansLog.Storage;

namespace OrleansLog.Silo.Clustering;

/// <summary>
/// Ties a broker's life to its silo's: the replicas are open before the silo becomes a member, and it serves once it is one.
/// </summary>
internal sealed class BrokerSilo(
    LocalBroker local, BrokerOptions options, ILogFileSystem files, IMetadataRegister register, IGrainFactory grains,
    IClusterMembershipService membership, ILoggerFactory loggers) : ILifecycleParticipant<ISiloLifecycle>, IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly ILogger _logger = loggers.CreateLogger<BrokerSilo>();
    private Task _observing = Task.CompletedTask;
    private bool _isClosed;

    /// <summary>The broker, once it is open.</summary>
    public ClusteredBroker? Broker { get; private set; }

    public void Participate(ISiloLifecycle observer) => observer.Subscribe(nameof(BrokerSilo), ServiceLifecycleStage.Active + 1, JoinAsync);

    /// <summary>
    /// Opens and recovers every replica. Before the silo starts: others that look at it should not take a long recovery for a
    /// silo that hangs.
    /// </summary>
    public async Task OpenAsync(CancellationToken cancellation)
    {
        var peers = new Dictionary<BrokerId, IBrokerPeer>();
        Broker = await ClusteredBroker.OpenAsync(local.Id, options, files, register, Find, TimeProvider.System, loggers, cancellation);
        local.Open(Broker);

        IBrokerPeer Find(BrokerId broker)
        {
            lock (peers)
                return peers.TryGetValue(broker, out var known) ? known : peers[broker] = new GrainPeer(grains, broker);
        }
    }

    /// <summary>Hands over what the broker leads, while the silo is still a member.</summary>
    public async Task ResignAsync()
    {
        if (Broker is { } broker)
            await broker.ResignAsync();
        await local.StopServingAsync();
    }

    /// <summary>Closes the broker, when the silo has left. May be called again.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isClosed, true))
            return;
        await _stopping.CancelAsync();
        await _observing;
        if (Broker is { } broker)
            await broker.DisposeAsync();
        _stopping.Dispose();
    }

    private async Task JoinAsync(CancellationToken cancellation)
    {
        await Broker!.ObserveAsync(Members(membership.CurrentSnapshot), cancellation);
        await Broker.JoinAsync(cancellation);
        _observing = Task.Run(ObserveAsync, CancellationToken.None);
    }

    private async Task ObserveAsync()
    {
        try
        {
            await foreach (var snapshot in membership.MembershipUpdates.WithCancellation(_stopping.Token))
                await Broker!.ObserveAsync(Members(snapshot), _stopping.Token);
        }
        catch (OperationCanceledException)
        {
            _logger.LogDebug("The membership is observed no more");
        }
    }

    private static List<LivingBroker> Members(ClusterMembershipSnapshot snapshot) =>
        [.. BrokerSilos.LivingIn(snapshot).Select(each => new LivingBroker(each.Key, each.Value.Generation))];
}
