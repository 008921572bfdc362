using OrleansLog.Client;
using OrleansLog.Client.Transport;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Wire;
using OrleansLog.Simulation.World;

namespace OrleansLog.Simulation.Applications;

/// <summary>
/// A client's way to the simulated brokers, through the simulated network with its faults. It keeps connections as the one
/// over TCP does, and gives them up for the same reasons.
/// </summary>
public sealed class SimTransport(SimCluster cluster, int place, TimeProvider time, ClientOptions options) : IClusterTransport
{
    private readonly Dictionary<(BrokerId Broker, Lane Lane), SimConnection> _connections = [];

    public event Action? Stalled;

    public async ValueTask<ResponseFrame> SendAsync(BrokerId broker, Lane lane, OutgoingRequest request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!Speaks(request.Api))
            throw new OrleansLogException(ErrorCode.UnsupportedVersion, $"The simulated brokers do not speak {request.Api}: let the application assign its partitions.");
        var connection = ConnectionTo(broker, lane);
        var answer = connection.Send(Write(request));
        Trace($"sends {request.Api} to {connection.Broker}");
        if (!request.ExpectsResponse) return ResponseFrame.None;
        var bytes = await WaitAsync(answer, connection, request, isAnyBroker: broker == BrokerId.None, cancellationToken);
        Trace($"has {bytes.Length} bytes of {request.Api} from {connection.Broker}");
        return new(request.VersionMax, bytes);
    }

    public ValueTask<(short Min, short Max)?> FindVersionsAsync(BrokerId broker, Lane lane, ApiKey api, CancellationToken cancellationToken) =>
        new(Speaks(api) && Apis.Find(api) is { } range ? (range.Min, range.Max) : null);

    public void LearnBrokers(IReadOnlyList<BrokerNode> brokers) =>
        Close(key => key.Broker != BrokerId.None && !brokers.Any(known => known.Id == key.Broker), "the cluster goes on without it");

    public void CloseLane(Lane lane) => Close(key => key.Lane == lane, "the lane is closed");

    public ValueTask DisposeAsync()
    {
        Drop();
        return default;
    }

    /// <summary>Closes every connection.</summary>
    public void Drop() => Close(_ => true, "the client is closed");

    private bool Speaks(ApiKey api) => cluster.Profile.HasCoordinators || SimEndpoint.Speaks(api);

    private SimConnection ConnectionTo(BrokerId broker, Lane lane)
    {
        if (_connections.TryGetValue((broker, lane), out var known) && !known.IsBroken) return known;
        var chosen = broker == BrokerId.None ? cluster.Random.Pick(cluster.Brokers) : cluster.Find(broker);
        return _connections[(broker, lane)] = new(cluster, place, chosen);
    }

    private async Task<byte[]> WaitAsync(
        TaskCompletionSource<byte[]> answer, SimConnection connection, OutgoingRequest request, bool isAnyBroker, CancellationToken cancellationToken)
    {
        using var patience = time.CreateTimer(
            _ => Suspect(connection, isAnyBroker), null, TimeSpan.FromMilliseconds(request.PatienceMs), TimeSpan.FromMilliseconds(request.PatienceMs));
        using var deadline = time.CreateTimer(
            _ => connection.Break(ErrorCode.RequestTimedOut, $"{request.Api} was not answered in time"), null,
            TimeSpan.FromMilliseconds(options.RequestTimeoutMs + request.HoldMsMax), Timeout.InfiniteTimeSpan);
        using var stop = cancellationToken.UnsafeRegister(static (source, token) => ((TaskCompletionSource<byte[]>)source!).TrySetCanceled(token), answer);
        return await answer.Task;
    }

    // What any broker can answer is not worth waiting for at one.
    private void Suspect(SimConnection connection, bool isAnyBroker)
    {
        if (isAnyBroker) connection.Break(ErrorCode.NetworkException, "it does not answer, and others may");
        Stalled?.Invoke();
    }

    private void Close(Predicate<(BrokerId Broker, Lane Lane)> which, string reason)
    {
        foreach (var (key, connection) in _connections.Where(each => which(each.Key)).ToList())
        {
            _connections.Remove(key);
            connection.Break(ErrorCode.NetworkException, reason);
        }
    }

    private void Trace(string what) => cluster.Trace($"client {place} {what}");

    // Both sides are of one build, and speak the latest version.
    private static SimRequest Write(OutgoingRequest request)
    {
        using var frame = new FrameBuilder();
        request.WriteBody(request.VersionMax, frame);
        return new(request.Api, request.VersionMax, frame.ToArray());
    }
}
