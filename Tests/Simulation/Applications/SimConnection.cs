using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.Simulation.Running;
using OrleansLog.Simulation.World;

namespace OrleansLog.Simulation.Applications;

/// <summary>
/// One connection of a client to a broker. It ends with the broker's process, which the client learns only when it sends
/// something to the next one, or when it gives the connection up.
/// </summary>
internal sealed class SimConnection
{
    private readonly SimCluster _cluster;
    private readonly int _client;
    private readonly SimBroker _broker;
    private readonly SimProcess? _process;
    private readonly SimPipe _there;
    private readonly SimPipe _back;
    private readonly List<TaskCompletionSource<byte[]>> _waiting = [];
    private readonly Queue<Action> _received = new();
    private long _sent;

    public SimConnection(SimCluster cluster, int client, SimBroker broker)
    {
        (_cluster, _client, _broker, _process) = (cluster, client, broker, broker.Process);
        _there = new(cluster, client, broker.Id.Value, () => !IsBroken, IsTaken);
        _back = new(cluster, broker.Id.Value, client, () => !IsBroken && _process?.IsDead == false, () => !IsBroken);
    }

    public BrokerId Broker => _broker.Id;

    public bool IsBroken { get; private set; }

    /// <summary>Sends a request; the answer comes, or the connection breaks.</summary>
    public TaskCompletionSource<byte[]> Send(SimRequest request)
    {
        var answer = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        var number = _sent++;
        _waiting.Add(answer);
        _there.Send(number, () => Receive(number, request, answer));
        return answer;
    }

    /// <summary>No answer comes any more: whoever waits for one is told why.</summary>
    public void Break(ErrorCode error, string reason)
    {
        if (IsBroken) return;
        IsBroken = true;
        foreach (var answer in _waiting) answer.TrySetException(new OrleansLogException(error, $"Broker {Broker}: {reason}"));
        _waiting.Clear();
    }

    // A machine that is off says nothing; one on which another process listens, or none, refuses.
    private bool IsTaken()
    {
        if (_broker.Process is { } process && process == _process && _broker.IsServing) return true;
        if (_broker.Process is not null || _broker.HasStoppedCleanly)
            _cluster.Network.Send(Broker.Value, _client, () => Break(ErrorCode.NetworkException, "the connection is closed"));
        return false;
    }

    // In order of arrival, also where the process was paused meanwhile.
    private void Receive(long number, SimRequest request, TaskCompletionSource<byte[]> answer)
    {
        _received.Enqueue(() => _ = AnswerAsync(number, request, answer));
        _process!.Enter(() => _received.Dequeue()());
    }

    // None where the broker has stopped meanwhile; its connections go with it.
    private async Task<byte[]?> FindAnswerAsync(SimRequest request)
    {
        if (!_cluster.Profile.HasCoordinators) return await new SimEndpoint(_cluster, _broker).AnswerAsync(request);
        return _broker.Node is { } node ? await node.AnswerAsync(request) : null;
    }

    private async Task AnswerAsync(long number, SimRequest request, TaskCompletionSource<byte[]> answer)
    {
        if (await FindAnswerAsync(request) is not { } bytes) return;
        _back.Send(number, () =>
        {
            _waiting.Remove(answer);
            answer.TrySetResult(bytes);
        });
    }
}
