using OrleansLog.Protocol;

namespace OrleansLog.Kafka.Requests;

/// <summary>The way of a request to the controller, for engines in which not every broker changes topics (KIP-590). Any thread.</summary>
public interface IRequestForwarder
{
    /// <summary>Whether this broker passes such requests on, at this moment.</summary>
    bool Forwards { get; }

    /// <summary>Has the controller handle a request.</summary>
    /// <param name="request">A request frame without its length prefix.</param>
    /// <param name="cancellationToken">Nobody waits for the answer any more.</param>
    /// <returns>The response frame without its length prefix.</returns>
    /// <exception cref="IOException">The controller gave no answer.</exception>
    ValueTask<ReadOnlyMemory<byte>> ForwardAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken);
}
