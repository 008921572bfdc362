using OrleansLog.Protocol;

namespace OrleansLog.Coordination.Runtime;

/// <summary>An answer that somebody waits for. Settled once; what comes later is ignored.</summary>
public abstract class PendingReply
{
    /// <summary>Answers with an error, in the form that the API has for it.</summary>
    internal abstract void Refuse(ErrorCode error);

    internal abstract void Settle(object answer);
}

/// <summary>
/// The answer to one request. A handler either answers at once, or keeps this object in its state and settles it in
/// a later result (a join waits for the other members).
/// </summary>
/// <param name="refusal">Builds the API's own answer for an error.</param>
public sealed class PendingReply<T>(Func<ErrorCode, T> refusal) : PendingReply where T : class
{
    private readonly TaskCompletionSource<T> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes with the answer. Never faults.</summary>
    public Task<T> Task => _source.Task;

    internal override void Refuse(ErrorCode error) => _source.TrySetResult(refusal(error));

    internal override void Settle(object answer) => _source.TrySetResult((T)answer);
}

/// <summary>Nobody waits, but something is to be done once records are committed.</summary>
internal sealed class CommittedEffect(Action effect) : PendingReply
{
    /// <summary>The answer that carries the effect out.</summary>
    public static readonly object IsCommitted = new();

    internal override void Refuse(ErrorCode error) { }

    internal override void Settle(object answer) => effect();
}
