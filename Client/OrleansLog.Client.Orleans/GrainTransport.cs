using Microsoft.Extensions.Logging;
using OrleansLog.Client.Orleans.Routes;
using OrleansLog.Client.Transport;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Client.Orleans;

/// <summary>
/// Kafka requests in grain calls: one line of requests for each broker and lane, begun when first needed and again after it
/// broke. Made by <c>AddOrleansLogClient</c> of an Orleans client or silo. Any thread.
/// </summary>
public sealed class GrainTransport : IClusterTransport
{
    private static readonly TimeSpan CloseTimeMax = TimeSpan.FromSeconds(2);

    private readonly IBrokerRoutes _routes;
    private readonly GrainCallLimits _limits;
    private readonly ClientOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Dictionary<(BrokerId Broker, Lane Lane), Opening<GrainConnection>> _connections = [];
    private bool _isDisposed;

    internal GrainTransport(IBrokerRoutes routes, GrainCallLimits limits, ClientOptions options, TimeProvider time, ILogger logger) =>
        (_routes, _limits, _options, _time, _logger) = (routes, limits, options, time, logger);

    public ValueTask<ResponseFrame> SendAsync(BrokerId broker, Lane lane, OutgoingRequest request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var entering = FindConnection(broker, lane).EnterAsync(cancellationToken);
        return entering.IsCompletedSuccessfully
            ? entering.Result.SendAsync(request, cancellationToken)
            : SendWhenOpenAsync(entering, request, cancellationToken);
    }

    public async ValueTask<(short Min, short Max)?> FindVersionsAsync(BrokerId broker, Lane lane, ApiKey api, CancellationToken cancellationToken)
    {
        var connection = await FindConnection(broker, lane).Task.WaitAsync(cancellationToken);
        return Apis.Find(api) is { } range ? connection.Versions.Common(api, range.Min, range.Max) : null;
    }

    /// <summary>Does nothing: which silo a broker is on is known to the silos.</summary>
    public void LearnBrokers(IReadOnlyList<BrokerNode> brokers)
    {
    }

    public void CloseLane(Lane lane) => _ = CloseAsync(key => key.Lane == lane);

    /// <summary>Ends all lines. May be called again: the client and the host's services both do.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_connections) _isDisposed = true;
        try
        {
            await CloseAsync(_ => true).WaitAsync(CloseTimeMax, _time);
        }
        catch (TimeoutException)
        {
            // The brokers end the lines by themselves, a while later.
        }
        await _routes.DisposeAsync();
    }

    private static async ValueTask<ResponseFrame> SendWhenOpenAsync(
        ValueTask<GrainConnection> entering, OutgoingRequest request, CancellationToken cancellationToken)
    {
        var connection = await entering.ConfigureAwait(false);
        return await connection.SendAsync(request, cancellationToken);
    }

    private Opening<GrainConnection> FindConnection(BrokerId broker, Lane lane)
    {
        lock (_connections)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(OrleansLogClient));
            if (_connections.TryGetValue((broker, lane), out var known))
            {
                if (IsUsable(known.Task)) return known;
                _ = CloseAsync(known.Task);
            }
            // Not in the turn of a grain that asks: the line outlives it.
            return _connections[(broker, lane)] = new(Task.Run(() => OpenAsync(broker)));
        }
    }

    private static bool IsUsable(Task<GrainConnection> opening) =>
        !opening.IsCompleted || (opening.IsCompletedSuccessfully && opening.Result.IsOpen);

    private async Task<GrainConnection> OpenAsync(BrokerId broker) =>
        await GrainConnection.OpenAsync(await _routes.FindAsync(broker), _limits, _options, _time, _logger);

    private async Task CloseAsync(Func<(BrokerId Broker, Lane Lane), bool> which)
    {
        List<Task<GrainConnection>> closing = [];
        lock (_connections)
        {
            foreach (var key in _connections.Keys.Where(which).ToList())
            {
                _connections.Remove(key, out var connection);
                closing.Add(connection!.Task);
            }
        }
        await Task.WhenAll(closing.Select(CloseAsync));
    }

    private static async Task CloseAsync(Task<GrainConnection> opening)
    {
        await ((Task)opening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (opening.IsCompletedSuccessfully) await opening.Result.CloseAsync();
    }
}

/// <summary>What calls may take.</summary>
/// <param name="MessageBytesMax">The largest request or answer, in bytes; Orleans breaks the connection over a larger one.</param>
internal sealed record GrainCallLimits(int MessageBytesMax)
{
    /// <summary>What a call adds to a request's bytes, in bytes, generously.</summary>
    private const int OverheadBytes = 4096;

    /// <summary>Calls of one line under way at a time; others wait for them.</summary>
    public const int CallsMax = 64;

    public static GrainCallLimits For(int messageBodyBytesMax) => new(messageBodyBytesMax - OverheadBytes);
}
