using Microsoft.Extensions.Logging;
using OrleansLog.Client.Transport;
using OrleansLog.Protocol;

namespace OrleansLog.Client.Metadata;

/// <summary>What the parts of one client share.</summary>
internal sealed record Cluster(
    ClientOptions Options, IClusterTransport Transport, MetadataCache Metadata, TimeProvider Time, ILogger Logger)
{
    /// <summary>
    /// Tries something until it succeeds, fails for good, or <see cref="ClientOptions.OperationTimeoutMs"/> have
    /// passed. Between attempts it waits and refreshes the metadata.
    /// </summary>
    public async Task<T> RetryAsync<T>(
        string what, Func<CancellationToken, Task<T>> attempt, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromMilliseconds(Options.OperationTimeoutMs), Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        OrleansLogException? last = null;
        try
        {
            for (var backoff = new Backoff(Options); ;)
            {
                try
                {
                    return await attempt(either.Token);
                }
                catch (OrleansLogException e) when (ShouldRetry(e))
                {
                    last = e;
                }
                await Task.Delay(backoff.Next(), Time, either.Token);
                Metadata.RefreshBehind();
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new OrleansLogException(last?.ErrorCode ?? ErrorCode.RequestTimedOut,
                $"Could not {what} within {Options.OperationTimeoutMs} ms: {last?.Message ?? "no broker answered."}", last);
        }
    }

    /// <summary>Whether the same request may succeed at another time or at another broker.</summary>
    public static bool ShouldRetry(OrleansLogException e) => e.IsRetriable || e.ErrorCode == ErrorCode.BrokerNotAvailable;
}
