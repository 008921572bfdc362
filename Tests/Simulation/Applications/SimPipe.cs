using OrleansLog.Simulation.World;

namespace OrleansLog.Simulation.Applications;

/// <summary>
/// One direction of a connection. What is put in comes out once and in that order, as TCP has it, though the network below
/// loses and delivers out of order: it is sent again until it has arrived, which holds up all that follows.
/// </summary>
/// <param name="cluster">The world.</param>
/// <param name="from">The sender's place.</param>
/// <param name="to">The receiver's.</param>
/// <param name="isOpen">Whether the sender still sends.</param>
/// <param name="isTaken">Whether the receiver takes what arrives now.</param>
internal sealed class SimPipe(SimCluster cluster, int from, int to, Func<bool> isOpen, Func<bool> isTaken)
{
    private const long SendAgainUs = 200_000;

    private readonly Dictionary<long, Action> _early = [];
    private long _due;

    /// <summary>Sends something that has a place in the order: counted from 0, without gaps.</summary>
    public void Send(long number, Action deliver)
    {
        if (HasArrived(number) || !isOpen()) return;
        cluster.Network.Send(from, to, () => Arrive(number, deliver), mayRepeat: false);
        cluster.Scheduler.After(SendAgainUs, () => Send(number, deliver));
    }

    private bool HasArrived(long number) => number < _due || _early.ContainsKey(number);

    private void Arrive(long number, Action deliver)
    {
        if (HasArrived(number) || !isTaken()) return;
        _early[number] = deliver;
        while (_early.Remove(_due, out var next))
        {
            _due++;
            next();
        }
    }
}
