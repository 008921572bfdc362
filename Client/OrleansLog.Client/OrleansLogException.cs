using OrleansLog.Protocol;

namespace OrleansLog.Client;

/// <summary>
/// An operation failed, after the retries that made sense. The message says what failed, on what, and what to do;
/// <see cref="ErrorCode"/> is the broker's own answer, or the nearest of its codes when no broker answered
/// (<see cref="ErrorCode.RequestTimedOut"/>, <see cref="ErrorCode.NetworkException"/>). Cancellation is not a failure:
/// it throws <see cref="OperationCanceledException"/>.
/// </summary>
public sealed class OrleansLogException : Exception
{
    public OrleansLogException(ErrorCode errorCode, string message, Exception? inner = null)
        : base(message, inner) => ErrorCode = errorCode;

    /// <summary>What went wrong, in Kafka's numbers.</summary>
    public ErrorCode ErrorCode { get; }

    /// <summary>Whether the same call may succeed later without anything being changed.</summary>
    public bool IsRetriable => ErrorCode.IsRetriable();
}
