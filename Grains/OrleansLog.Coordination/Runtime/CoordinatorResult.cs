using OrleansLog.Protocol;

namespace OrleansLog.Coordination.Runtime;

/// <summary>
/// What a handler decided: records to append, timers to set, and answers that may go out once those records (and all
/// before them) are committed. Filled by one handler in one turn, then carried out by the <see cref="ShardRuntime{T}"/>.
/// </summary>
public class CoordinatorResult(long nowMs)
{
    private List<StateRecord>? _records;
    private List<TimerCommand>? _timers;
    private List<Settlement>? _settlements;

    /// <summary>The time of the event, in milliseconds since the Unix epoch.</summary>
    public long NowMs { get; } = nowMs;

    /// <summary>Whether the records must stand in one append. If not, they may be spread over several.</summary>
    public bool IsAtomic { get; init; } = true;

    /// <summary>The transaction that the records belong to; they then stand in an append of their own.</summary>
    public TransactionWrite? Transaction { get; init; }

    public IReadOnlyList<StateRecord> Records => _records ?? (IReadOnlyList<StateRecord>)[];

    public IReadOnlyList<TimerCommand> Timers => _timers ?? (IReadOnlyList<TimerCommand>)[];

    public IReadOnlyList<Settlement> Settlements => _settlements ?? (IReadOnlyList<Settlement>)[];

    internal void Append(StateRecord record) => (_records ??= []).Add(record);

    internal void SetTimer(TimerKey key, long delayMs) => (_timers ??= []).Add(new TimerCommand(key, delayMs));

    /// <summary>Sets a timer that goes on running if it runs already.</summary>
    internal void SetTimerIfUnset(TimerKey key, long delayMs) => (_timers ??= []).Add(new TimerCommand(key, delayMs, IfUnset: true));

    internal void CancelTimer(TimerKey key) => (_timers ??= []).Add(new TimerCommand(key, null));

    internal void Settle<T>(PendingReply<T> reply, T answer, bool awaitsCommit = true) where T : class =>
        (_settlements ??= []).Add(new Settlement(reply, answer, awaitsCommit));

    /// <summary>Has something done once the records are committed; not if they never are.</summary>
    internal void WhenCommitted(Action effect) => (_settlements ??= []).Add(new Settlement(new CommittedEffect(effect), CommittedEffect.IsCommitted));

    internal void Refuse(PendingReply? reply, ErrorCode error)
    {
        if (reply is not null)
            (_settlements ??= []).Add(new Settlement(reply, error));
    }
}

/// <summary>A result with the answer to the request itself.</summary>
public sealed class CoordinatorResult<T>(long nowMs) : CoordinatorResult(nowMs) where T : class
{
    /// <summary>The answer, or null when the handler keeps the <see cref="PendingReply{T}"/> to settle it later.</summary>
    public T? Reply { get; private set; }

    /// <summary>Whether the answer waits for the commit of all that was written before, or only for the log to have taken it.</summary>
    public bool AwaitsCommit { get; private set; } = true;

    internal CoordinatorResult<T> With(T reply, bool awaitsCommit = true)
    {
        (Reply, AwaitsCommit) = (reply, awaitsCommit);
        return this;
    }
}

/// <summary>An answer that goes out with a result.</summary>
/// <param name="Reply">Who waits for it.</param>
/// <param name="Answer">An <see cref="ErrorCode"/> where the request is refused.</param>
/// <param name="AwaitsCommit">False for an answer that is as good if nothing that was written is ever committed.</param>
public readonly record struct Settlement(PendingReply Reply, object Answer, bool AwaitsCommit = true)
{
    internal void CarryOut()
    {
        if (Answer is ErrorCode error)
            Reply.Refuse(error);
        else
            Reply.Settle(Answer);
    }
}
