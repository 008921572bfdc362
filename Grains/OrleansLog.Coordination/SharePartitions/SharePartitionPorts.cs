using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination.SharePartitions;

/// <summary>What a <see cref="SharePartition"/> is given by the broker that leads the partition.</summary>
public sealed record SharePartitionPorts
{
    /// <summary>The clock: for how long records are locked.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>Where the state is stored.</summary>
    public required IShareStates States { get; init; }

    /// <summary>Finds the offset where a group begins that has not read the partition.</summary>
    public required Func<ShareOffsetReset, ValueTask<Offset>> FindStartAsync { get; init; }

    /// <summary>The next number of a write: higher with each call, for as long as the leadership lasts.</summary>
    public required Func<long> NextWriteNumber { get; init; }

    /// <summary>Told that there may be records for members that wait, or that it is over. Called on any thread.</summary>
    public required Action Available { get; init; }

    public required ILogger Logger { get; init; }

    /// <summary>For how long a coordinator that gives no answer is asked again.</summary>
    public int PatienceMs { get; init; } = 15_000;

    /// <summary>The pause before it is asked again.</summary>
    public int RetryDelayMs { get; init; } = 50;
}

/// <summary>Asks share coordinators until there is an answer.</summary>
internal static class ShareRetries
{
    /// <summary>Whether an error says that this leadership, or this state, is over.</summary>
    public static bool IsOver(ErrorCode error) => error is not (ErrorCode.None or ErrorCode.UnknownServerError) && !IsWorthAnotherTry(error);

    /// <summary>Whether another try may find a coordinator.</summary>
    public static bool IsWorthAnotherTry(ErrorCode error) => error is ErrorCode.CoordinatorNotAvailable or ErrorCode.NotCoordinator
        or ErrorCode.CoordinatorLoadInProgress or ErrorCode.NetworkException or ErrorCode.RequestTimedOut;

    public static async Task<T> UntilAnsweredAsync<T>(
        Func<Task<T>> ask, Func<T, ErrorCode> errorOf, Func<ErrorCode, T> refuse, SharePartitionPorts ports, CancellationToken cancellationToken)
    {
        var started = ports.Time.GetTimestamp();
        while (true)
        {
            var answer = await AskAsync(ask, refuse);
            if (!IsWorthAnotherTry(errorOf(answer)) || ports.Time.GetElapsedTime(started).TotalMilliseconds >= ports.PatienceMs)
                return answer;
            await Task.Delay(TimeSpan.FromMilliseconds(ports.RetryDelayMs), ports.Time, cancellationToken);
        }
    }

    private static async Task<T> AskAsync<T>(Func<Task<T>> ask, Func<ErrorCode, T> refuse)
    {
        try
        {
            return await ask();
        }
        catch (IOException)
        {
            return refuse(ErrorCode.CoordinatorNotAvailable);
        }
    }
}
