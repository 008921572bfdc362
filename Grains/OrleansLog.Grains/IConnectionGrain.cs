namespace OrleansLog.Grains;

/// <summary>
/// One client's line of requests to one broker, under <c>id@broker</c>, where the client draws the id: what a connection is on
/// the wire. Orleans does not keep calls in order, so they carry their place in the line and are started in turn; answers
/// come as they are ready. It lives in memory on its broker's silo. Where that has ended, so has the line: calls fail, and
/// the client begins another.
/// </summary>
public interface IConnectionGrain : IGrainWithStringKey
{
    /// <summary>Handles a request as the broker's Kafka endpoint would.</summary>
    /// <param name="number">
    /// Its place in the line. The request with number 0 opens the line and is answered before others are sent; of the later
    /// ones no more than <see cref="Calls.Turns.WaitingMax"/> may be under way at a time.
    /// </param>
    /// <param name="request">A request frame without its length prefix: header and body. The broker's from now on.</param>
    /// <returns>The response frame without its length prefix; empty for a request that has no answer.</returns>
    /// <exception cref="IOException">The line is not open (any more), or the broker is not, or the bytes are not a request.</exception>
    // Longer than anything that a broker holds back on purpose: it is the client that knows how long it wants to wait.
    [ResponseTimeout("00:30:00")]
    ValueTask<Payload> HandleAsync(long number, Payload request);

    /// <summary>Ends the line: nobody waits for answers any more.</summary>
    Task CloseAsync();
}
