using OrleansLog.Protocol;

namespace OrleansLog.Coordination.Runtime;

/// <summary>
/// The state of one partition of an internal topic. Deterministic and synchronous: handlers (the methods of the
/// implementation) decide and return a <see cref="CoordinatorResult"/>; durable state changes in
/// <see cref="Replay"/> alone, so that reading the partition again gives the same state. What only this coordinator
/// knows (who waits for an answer, whose session runs) is not durable and changes in handlers.
/// Runs on the turn of its <see cref="ShardRuntime{T}"/>.
/// </summary>
public interface ICoordinatorShard
{
    /// <summary>How many changes were replayed since the last <see cref="Accept"/>: a place to roll back to.</summary>
    int Mark { get; }

    /// <summary>Carries out a change that a handler decided.</summary>
    void Replay(StateRecord record);

    /// <summary>Carries out a change that was read from the partition. Unknown kinds of records are passed over.</summary>
    void Load(Offset offset, in CoordinatorRecord record);

    /// <summary>
    /// Carries out what was read from the partition and belongs to a transaction, which may yet be aborted, or is its end
    /// (with an empty record).
    /// </summary>
    void LoadTransactional(TransactionWrite transaction, in CoordinatorRecord record) =>
        throw new InvalidDataException($"A transaction of producer {transaction.ProducerId} lies in a partition where there are none.");

    /// <summary>The changes so far are in the log: they are not rolled back any more.</summary>
    void Accept();

    /// <summary>
    /// Takes back the changes after <paramref name="mark"/>, which never reached the log, and refuses with
    /// <paramref name="error"/> whoever waits for something that followed from them.
    /// </summary>
    CoordinatorResult RollBack(int mark, ErrorCode error, long nowMs);

    /// <summary>The whole partition has been loaded: sets the timers.</summary>
    CoordinatorResult Loaded(long nowMs);

    /// <summary>A timer has run out.</summary>
    CoordinatorResult TimerDue(TimerKey key, long nowMs);

    /// <summary>The coordinator moves away: refuses everyone who waits.</summary>
    CoordinatorResult Unload(ErrorCode error, long nowMs);
}
