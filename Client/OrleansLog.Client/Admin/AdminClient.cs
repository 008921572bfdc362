using OrleansLog.Client.Metadata;
using OrleansLog.Client.Transport;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Client;

/// <summary>
/// Creates, describes, changes and deletes topics, configurations, groups and offsets. Any thread. Every call retries
/// what may pass (a moved controller, leader or coordinator) within <see cref="ClientOptions.OperationTimeoutMs"/>.
/// Calls on one item throw <see cref="OrleansLogException"/> when it fails; calls on several return a result for each.
/// </summary>
public sealed partial class AdminClient
{
    private readonly Cluster _cluster;

    internal AdminClient(Cluster cluster) => _cluster = cluster;

    /// <summary>Asks any broker.</summary>
    private Task<TResponse> AskAsync<TResponse>(string what, IRequest<TResponse> request, CancellationToken cancellationToken)
        where TResponse : class, IResponse, new() =>
        _cluster.RetryAsync(what, async token => await _cluster.Transport.SendAsync(BrokerId.None, Lane.Control, request, token), cancellationToken);

    /// <summary>Asks the controller, and the next one when it has moved.</summary>
    private Task<TResponse> AskControllerAsync<TResponse>(
        string what,
        IRequest<TResponse> request,
        Func<TResponse, IEnumerable<ErrorCode>> errorsOf,
        CancellationToken cancellationToken,
        short versionMin = 0)
        where TResponse : class, IResponse, new() => _cluster.RetryAsync(what, async token =>
    {
        if (_cluster.Metadata.View.Controller == BrokerId.None) await _cluster.Metadata.RefreshAsync(token);
        var controller = _cluster.Metadata.View.Controller;
        var response = await _cluster.Transport.SendAsync(controller, Lane.Control, request, token, versionMin: versionMin);
        if (!errorsOf(response).Contains(ErrorCode.NotController)) return response;
        await _cluster.Metadata.RefreshAsync(token);
        throw new OrleansLogException(ErrorCode.NotController, $"broker {controller} is not the controller any more.");
    }, cancellationToken);

    private async Task<IReadOnlyList<BrokerNode>> BrokersAsync(CancellationToken cancellationToken)
    {
        await _cluster.RetryAsync("find the brokers", async token =>
        {
            await _cluster.Metadata.RefreshAsync(token);
            return true;
        }, cancellationToken);
        return _cluster.Metadata.View.Brokers;
    }

    private GroupCoordinator CoordinatorOf(string groupId) => new(_cluster, groupId, Lane.Control);

    private static void Require(ErrorCode error, string? message, string what)
    {
        if (error != ErrorCode.None)
            throw new OrleansLogException(error, $"Could not {what}: {(message ?? error.ToString()).TrimEnd('.')}.");
    }
}
