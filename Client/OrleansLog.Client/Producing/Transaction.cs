using Microsoft.Extensions.Logging;
using OrleansLog.Client.Producing;
using OrleansLog.Protocol;

namespace OrleansLog.Client;

/// <summary>
/// One transaction of a producer (KIP-98): the records that are written while it is open, and the offsets sent with it, count
/// together when it is committed, for consumers that read with <see cref="IsolationLevel.ReadCommitted"/>, or not at all.
/// Disposing of one that was not committed aborts it.
/// </summary>
public sealed class Transaction : IAsyncDisposable
{
    private readonly Producer _producer;
    private readonly ProducerState _state;
    private readonly TransactionControl _control;
    private bool _hasEnded;

    internal Transaction(Producer producer, ProducerState state) => (_producer, _state, _control) = (producer, state, state.Transactions!);

    /// <summary>Makes positions of a consumer group part of the transaction: they are committed when it is.</summary>
    /// <param name="positions">Each the offset of the next record to read; see <see cref="Consumer.Positions"/>.</param>
    /// <param name="group">The group and who in it has read; see <see cref="Consumer.GroupMetadata"/>.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="OrleansLogException">They were refused: the transaction can only be aborted.</exception>
    public async ValueTask SendOffsetsAsync(
        IReadOnlyCollection<TopicPartitionOffset> positions, ConsumerGroupMetadata group, CancellationToken cancellationToken = default)
    {
        if (positions.Count == 0) return;
        _control.CheckOpen();
        await _control.SendOffsetsAsync(positions, group, cancellationToken);
    }

    /// <summary>
    /// Commits: waits until every record is acknowledged, then for the coordinator, whose word is final. Where no word came
    /// (a time-out, or cancelled) it may be called again; disposing instead aborts unless it was committed.
    /// </summary>
    /// <exception cref="OrleansLogException">A record was given up, or the transaction was aborted: it can only be aborted now.</exception>
    public async ValueTask CommitAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfEnded();
        await _producer.FlushAsync(cancellationToken);
        if (_control.Failure is { } failure)
            throw new OrleansLogException(failure.ErrorCode, $"The transaction cannot be committed: {failure.Message}", failure);
        if (_control.HasParts) _state.Identities.Replace(await _control.EndAsync(isCommit: true, cancellationToken));
        Close();
    }

    /// <summary>Aborts: what was written does not count. Records that are not sent yet are given up.</summary>
    /// <exception cref="OrleansLogException">
    /// The coordinator did not answer, or the transaction was committed already. The next one sees to what is still open.
    /// </exception>
    public async ValueTask AbortAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfEnded();
        _control.Fail(new OrleansLogException(ErrorCode.TransactionAbortable, "The transaction is being aborted."));
        _producer.Nudge();
        await _producer.FlushAsync(cancellationToken);
        try
        {
            if (_control.HasParts && _state.Identities.IsKnown) _state.Identities.Replace(await _control.EndAsync(isCommit: false, cancellationToken));
        }
        catch
        {
            _control.ForgetIdentity();
            _state.Identities.Replace(ProducerIdentity.None);
            throw;
        }
        finally
        {
            Close();
        }
    }

    /// <summary>Aborts the transaction unless it has ended. A failure is logged: the next transaction sees to what is still open.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_hasEnded) return;
        try
        {
            await AbortAsync();
        }
        catch (OrleansLogException e)
        {
            _state.Cluster.Logger.LogWarning("A transaction of '{TransactionalId}' was not aborted: {Reason}", _state.Options.TransactionalId, e.Message);
        }
    }

    private void Close()
    {
        _hasEnded = true;
        _control.Close();
    }

    private void ThrowIfEnded()
    {
        if (_hasEnded) throw new InvalidOperationException("The transaction has ended.");
    }
}
