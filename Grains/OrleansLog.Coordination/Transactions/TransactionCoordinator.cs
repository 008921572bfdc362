using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Logging;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination.Transactions;

/// <summary>
/// The transactional ids that this broker coordinates: those whose partition of <c>__transaction_state</c> it leads. The
/// engine elects it for a partition and has it resign, as with groups; a successor finishes what was decided. Nothing is
/// answered before what it says is committed. Any thread.
/// </summary>
public sealed partial class TransactionCoordinator(TransactionOptions options, TransactionPorts ports)
{
    /// <summary>The internal topic that holds transactional ids.</summary>
    public const string TopicName = "__transaction_state";

    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<int, Election> _elections = [];

    public TransactionOptions Options => options;

    /// <summary>The partition of <see cref="TopicName"/> that holds a transactional id; found as that of a group is.</summary>
    public static int PartitionFor(string transactionalId, int partitionCount) => GroupCoordinator.PartitionFor(transactionalId, partitionCount);

    /// <summary>
    /// Takes over a partition that this broker has come to lead, and finishes the transactions in it whose outcome is
    /// decided. An election with a lower epoch than an earlier one changes nothing. Throws what the reader throws.
    /// </summary>
    public async Task ElectAsync(int partition, LeaderEpoch epoch, IPartitionReader reader, IPartitionWriter writer)
    {
        var election = new Election(epoch);
        election.Runtime = new(new ShardPorts<TransactionShard>(
            new TopicPartition(TopicName, partition).ToString(),
            () => new TransactionShard(options, ports.Topics, (shard, state) => _ = FinishAsync(election, shard, state), ports.Logger),
            reader, writer, ports.Time, new ShardLimits(), ports.Logger));
        if (!TryReplace(partition, election, out var former))
            return;
        if (former is not null)
            await former.DisposeAsync();
        await election.Runtime.LoadAsync();
    }

    /// <summary>Gives a partition up; a resignation from an earlier epoch than the present election's changes nothing.</summary>
    public async Task ResignAsync(int partition, LeaderEpoch? epoch = null)
    {
        Election? election;
        lock (_gate)
        {
            if (!_elections.TryGetValue(partition, out election) || epoch < election.Epoch)
                return;
            _elections.TryRemove(partition, out _);
        }
        await election.DisposeAsync();
    }

    /// <summary>Gives all partitions up.</summary>
    public async Task CloseAsync()
    {
        foreach (var partition in _elections.Keys)
            await ResignAsync(partition);
    }

    // The outcome is committed: it is told again and again, until all know or this coordinator is none any more.
    private async Task FinishAsync(Election election, TransactionShard shard, TransactionState state)
    {
        try
        {
            var written = await ports.Markers.WriteAsync(state.ToEnd(election.Epoch.Value), election.Ending);
            if (!written.IsDone)
            {
                ports.Logger.LogInformation("The transaction of {TransactionalId} is ended by a later coordinator", state.TransactionalId);
                return;
            }
            while (await CompleteAsync(election, shard, state, written.Begun) is var error && error is not (ErrorCode.None or ErrorCode.NotCoordinator or ErrorCode.CoordinatorLoadInProgress))
                await Task.Delay(TimeSpan.FromMilliseconds(options.RetryDelayMs), ports.Time, election.Ending);
        }
        catch (OperationCanceledException)
        {
            // The successor goes on.
        }
        catch (Exception failure)
        {
            ports.Logger.LogError(failure, "The end of the transaction of {TransactionalId} could not be written; its next coordinator will try again", state.TransactionalId);
        }
    }

    // Of another shard nothing is known here: it was loaded since, and has the markers written itself.
    private static async Task<ErrorCode> CompleteAsync(
        Election election, TransactionShard shard, TransactionState state, IReadOnlyCollection<TopicPartition> begun) =>
        (await election.Runtime.RunAsync(
            (current, _, now) => current == shard ? shard.Complete(state, begun, now) : new CoordinatorResult<Completed>(now).With(new(ErrorCode.None)),
            error => new Completed(error))).Error;

    private bool TryReplace(int partition, Election election, out Election? former)
    {
        lock (_gate)
        {
            if (_elections.TryGetValue(partition, out former) && election.Epoch < former.Epoch)
                return false;
            _elections[partition] = election;
            return true;
        }
    }

    private Task<T> RouteAsync<T>(
        string transactionalId, Func<TransactionShard, long, CoordinatorResult<T>> handler, Func<ErrorCode, T> refusal, CancellationToken cancellation)
        where T : class =>
        RouteAsync(transactionalId, (shard, _, now) => handler(shard, now), refusal, cancellation);

    private Task<T> RouteAsync<T>(
        string transactionalId, Func<TransactionShard, PendingReply<T>, long, CoordinatorResult<T>> handler, Func<ErrorCode, T> refusal,
        CancellationToken cancellation)
        where T : class
    {
        if (transactionalId.Length == 0 || IsTooLong(transactionalId))
            return Task.FromResult(refusal(ErrorCode.InvalidRequest));
        if (!_elections.TryGetValue(PartitionFor(transactionalId, options.PartitionCount), out var election))
            return Task.FromResult(refusal(ErrorCode.NotCoordinator));
        return election.Runtime.RunAsync(handler, error => refusal(CoordinatorErrors.ForGroups(error))).WaitAsync(cancellation);
    }

    // Of the election that answers, or an earlier one.
    private int EpochFor(string transactionalId) =>
        _elections.TryGetValue(PartitionFor(transactionalId, options.PartitionCount), out var election) ? election.Epoch.Value : LeaderEpoch.None.Value;

    private bool IsTooLong(string id) => id.Length > options.MaxIdBytes / 3 && Encoding.UTF8.GetByteCount(id) > options.MaxIdBytes;

    private sealed class Election(LeaderEpoch epoch) : IAsyncDisposable
    {
        private readonly CancellationTokenSource _ending = new();

        public LeaderEpoch Epoch => epoch;

        public CancellationToken Ending => _ending.Token;

        public ShardRuntime<TransactionShard> Runtime { get; set; } = null!;

        public async ValueTask DisposeAsync()
        {
            _ending.Cancel();
            await Runtime.DisposeAsync();
        }
    }
}
