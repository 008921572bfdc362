using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using OrleansLog.Broker;
using OrleansLog.Broker.Clustered;
using OrleansLog.Grains;
using OrleansLog.Grains.Placement;
using OrleansLog.Protocol;
using OrleansLog.Replication.Brokers;

namespace OrleansLog.Hosting;

/// <summary>
/// Ties a broker's life to its silo's: the replicas are open before the silo becomes a member, it serves once it is one, and
/// hands over what it leads while it still is.
/// </summary>
internal sealed class BrokerSilo : ILifecycleParticipant<ISiloLifecycle>, ILogBroker, IAsyncDisposable
{
    // After all storage of the silo, which may hold the register, and before the silo is told to the others.
    private const int OpenStage = ServiceLifecycleStage.BecomeActive - 1;
    private const int JoinStage = ServiceLifecycleStage.Active + 1;

    private readonly LocalBroker _local;
    private readonly Func<CancellationToken, Task<BrokerParts>> _prepare;
    private readonly IGrainFactory _grains;
    private readonly IClusterMembershipService _membership;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly BrokerMetrics _metrics;
    private readonly CancellationTokenSource _stopping = new();
    private Task _observing = Task.CompletedTask;
    private BrokerParts? _parts;
    private bool _isClosed;

    public BrokerSilo(
        LocalBroker local, Func<CancellationToken, Task<BrokerParts>> prepare, IGrainFactory grains, IClusterMembershipService membership, ILoggerFactory loggers)
    {
        (_local, _prepare, _grains, _membership, _loggers) = (local, prepare, grains, membership, loggers);
        _logger = loggers.CreateLogger<BrokerSilo>();
        _metrics = new BrokerMetrics(() => Broker?.Broker is { } broker ? [broker] : []);
    }

    /// <summary>The broker, once it is open.</summary>
    public ClusteredBroker? Broker { get; private set; }

    public int Id => _local.Id.Value;

    public string? Address => _parts?.Options.Brokers[0] is { } address ? $"{address.Host}:{address.Port}" : null;

    public string? NotReady =>
        Broker?.Broker is not { } broker ? "The broker is not open."
        : broker.Partitions.All.FirstOrDefault(partition => partition.Log.Failure is not null) is { } failed
            ? $"{failed.Id} does not accept records: {failed.Log.Failure!.Message}"
            : null;

    public void Participate(ISiloLifecycle observer)
    {
        observer.Subscribe(nameof(OpenAsync), OpenStage, OpenAsync);
        observer.Subscribe(nameof(JoinAsync), JoinStage, JoinAsync, _ => ResignAsync());
    }

    /// <summary>
    /// Opens and recovers every replica. May be called before the silo starts, when nothing of the silo is needed for it:
    /// others that look at it should not take a long recovery for a silo that hangs.
    /// </summary>
    public async Task OpenAsync(CancellationToken cancellation)
    {
        if (Broker is not null)
            return;
        _parts = await _prepare(cancellation);
        var peers = new Dictionary<BrokerId, IBrokerPeer>();
        Broker = await ClusteredBroker.OpenAsync(_local.Id, _parts.Options, _parts.Files, _parts.Register, Find, TimeProvider.System, _loggers, cancellation);
        _local.Open(Broker);

        IBrokerPeer Find(BrokerId broker)
        {
            lock (peers)
                return peers.TryGetValue(broker, out var known) ? known : peers[broker] = new GrainPeer(_grains, broker);
        }
    }

    /// <summary>Closes the broker, when the silo has left. May be called again.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isClosed, true))
            return;
        await _stopping.CancelAsync();
        await _observing;
        _metrics.Dispose();
        if (Broker is { } broker)
            await broker.DisposeAsync();
        foreach (var part in _parts?.Owned ?? [])
            part.Dispose();
        _stopping.Dispose();
    }

    private async Task JoinAsync(CancellationToken cancellation)
    {
        var members = Members(_membership.CurrentSnapshot);
        if (_parts!.IsAlone && members.FirstOrDefault(member => member.Broker != _local.Id, new(_local.Id, 0)) is var other && other.Broker != _local.Id)
            throw new InvalidOperationException(
                $"Broker {other.Broker} is a member of this cluster already, and broker {_local.Id} keeps its metadata in its own data directory, where no other "
                + $"can agree with it. Choose a store that all silos share ({nameof(LogBrokerOptions)}.{nameof(LogBrokerOptions.Metadata)}).");
        await Broker!.ObserveAsync(members, cancellation);
        await Broker.JoinAsync(cancellation);
        _observing = Task.Run(ObserveAsync, CancellationToken.None);
    }

    // While the silo is still a member.
    private async Task ResignAsync()
    {
        if (Broker is { } broker)
            await broker.ResignAsync();
        await _local.StopServingAsync();
    }

    private async Task ObserveAsync()
    {
        try
        {
            await foreach (var snapshot in _membership.MembershipUpdates.WithCancellation(_stopping.Token))
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
