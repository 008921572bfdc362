using OrleansLog.Protocol;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Client.Transport;

/// <summary>
/// The way from this client to the cluster: carries a request to one broker, or to any, and brings the answer. It
/// opens, keeps and negotiates whatever connections that takes; it retries nothing. All members may be called from any
/// thread.
/// </summary>
public interface IClusterTransport : IAsyncDisposable
{
    /// <summary>
    /// Sends a request and waits for its answer. Requests of one lane to one broker arrive in the order of the calls;
    /// those of different lanes do not wait for each other.
    /// </summary>
    /// <param name="broker">Where to; <see cref="BrokerId.None"/> for any broker that answers.</param>
    /// <param name="lane">With which other requests this one shares its place in the queue.</param>
    /// <param name="request">What to send; written once the version is known, before the call returns or later.</param>
    /// <param name="cancellationToken">Stops the wait; the request may have reached the broker.</param>
    /// <returns>The answer, which the caller disposes; empty when <see cref="OutgoingRequest.ExpectsResponse"/> is false.</returns>
    /// <exception cref="OrleansLogException">
    /// The broker could not be reached, went away or did not answer in time (<see cref="ErrorCode.NetworkException"/>,
    /// <see cref="ErrorCode.RequestTimedOut"/>), or speaks no common version (<see cref="ErrorCode.UnsupportedVersion"/>).
    /// </exception>
    ValueTask<ResponseFrame> SendAsync(
        BrokerId broker, Lane lane, OutgoingRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// The versions of an API that both sides speak, or null if there are none.
    /// </summary>
    ValueTask<(short Min, short Max)?> FindVersionsAsync(
        BrokerId broker, Lane lane, ApiKey api, CancellationToken cancellationToken);

    /// <summary>Tells where the brokers are, from the latest metadata.</summary>
    void LearnBrokers(IReadOnlyList<BrokerNode> brokers);

    /// <summary>
    /// A broker owes an answer for so long that the cluster may have gone on without it. Raised again and again while that
    /// lasts, on any thread; to be handled quickly.
    /// </summary>
    event Action? Stalled
    {
        add { }
        remove { }
    }

    /// <summary>Closes what a lane has opened, when its owner is done.</summary>
    void CloseLane(Lane lane);
}

/// <summary>A broker and where it listens.</summary>
public readonly record struct BrokerNode(BrokerId Id, string Host, int Port, string? Rack = null);

/// <summary>
/// Requests that may wait behind one another. A broker answers the requests of one connection in turn, so what may be
/// held back on purpose (a fetch that waits for data, a member that waits for its group) has a lane of its own.
/// </summary>
public readonly record struct Lane(int Number)
{
    private static int _last = 15;

    /// <summary>Metadata, lookups and admin calls.</summary>
    public static readonly Lane Control = new(0);

    /// <summary>Produce requests.</summary>
    public static readonly Lane Produce = new(1);

    /// <summary>A lane that nobody else uses.</summary>
    public static Lane Open() => new(Interlocked.Increment(ref _last));
}
