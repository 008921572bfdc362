using OrleansLog.Client.Transport;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Client.Metadata;

/// <summary>
/// The broker that coordinates one group, or the transactions of one producer: finds it, and finds it again after it moved.
/// Any thread.
/// </summary>
internal sealed class GroupCoordinator(Cluster cluster, string groupId, Lane lane, CoordinatorKind kind = CoordinatorKind.Group)
{
    private BrokerId _broker = BrokerId.None;

    public string GroupId => groupId;

    /// <summary>The coordinator, asked for if it is not known.</summary>
    public async ValueTask<BrokerId> FindAsync(CancellationToken cancellationToken)
    {
        if (_broker != BrokerId.None) return _broker;
        var request = new FindCoordinatorRequest { Key = groupId, KeyType = (sbyte)kind, CoordinatorKeys = [groupId] };
        var response = await cluster.Transport.SendAsync(BrokerId.None, Lane.Control, request, cancellationToken);
        var found = response.Coordinators.Count > 0 ? response.Coordinators[0] : new FindCoordinatorResponse.Coordinator
        {
            NodeId = response.NodeId,
            ErrorCode = response.ErrorCode,
            ErrorMessage = response.ErrorMessage,
        };
        if (found.ErrorCode != ErrorCode.None)
            throw new OrleansLogException(found.ErrorCode, $"No coordinator for {What}: {found.ErrorMessage ?? found.ErrorCode.ToString()}.");
        var id = new BrokerId(found.NodeId);
        if (!cluster.Metadata.View.Brokers.Any(broker => broker.Id == id)) await cluster.Metadata.RefreshAsync(cancellationToken);
        return _broker = id;
    }

    /// <summary>
    /// Sends one request. Errors that mean "not here" or "not yet" are thrown, and the coordinator is looked for anew
    /// next time; all others are for the caller to read.
    /// </summary>
    /// <param name="request">What to send.</param>
    /// <param name="errorOf">Where the answer says what went wrong.</param>
    /// <param name="holdMsMax">How long the coordinator may hold the answer back.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <param name="versionMin">The lowest version that will do.</param>
    public async Task<TResponse> SendOnceAsync<TResponse>(
        IRequest<TResponse> request, Func<TResponse, ErrorCode> errorOf, int holdMsMax, CancellationToken cancellationToken, short versionMin = 0)
        where TResponse : class, IResponse, new()
    {
        TResponse response;
        var broker = await FindAsync(cancellationToken);
        try
        {
            response = await cluster.Transport.SendAsync(broker, lane, request, cancellationToken, holdMsMax, versionMin);
        }
        catch (OrleansLogException)
        {
            _broker = BrokerId.None;
            throw;
        }
        var error = errorOf(response);
        if (error is not (ErrorCode.NotCoordinator or ErrorCode.CoordinatorNotAvailable or ErrorCode.CoordinatorLoadInProgress)) return response;
        if (error != ErrorCode.CoordinatorLoadInProgress) _broker = BrokerId.None;
        throw new OrleansLogException(error, $"Broker {broker} does not serve {What} now: {error}.");
    }

    /// <summary>As <see cref="SendAsync"/>, and until no transaction can change the answer any more (KIP-447).</summary>
    public Task<TResponse> SendStableAsync<TResponse>(
        string what, IRequest<TResponse> request, Func<TResponse, ErrorCode> errorOf, CancellationToken cancellationToken)
        where TResponse : class, IResponse, new() =>
        cluster.RetryAsync($"{what} {What}", async token =>
        {
            var response = await SendOnceAsync(request, errorOf, 0, token);
            return errorOf(response) == ErrorCode.UnstableOffsetCommit
                ? throw new OrleansLogException(ErrorCode.UnstableOffsetCommit, "a transaction that changes them is still open.")
                : response;
        }, cancellationToken);

    private string What => kind == CoordinatorKind.Group ? $"group '{groupId}'" : $"transactional id '{groupId}'";

    /// <summary>Sends a request, again and again until a coordinator has answered it.</summary>
    public Task<TResponse> SendAsync<TResponse>(
        string what, IRequest<TResponse> request, Func<TResponse, ErrorCode> errorOf, CancellationToken cancellationToken, short versionMin = 0)
        where TResponse : class, IResponse, new() =>
        cluster.RetryAsync($"{what} {What}", token => SendOnceAsync(request, errorOf, 0, token, versionMin), cancellationToken);
}

/// <summary>What is coordinated. The numbers are the protocol's.</summary>
internal enum CoordinatorKind : sbyte
{
    Group = 0,
    Transaction = 1,
}
