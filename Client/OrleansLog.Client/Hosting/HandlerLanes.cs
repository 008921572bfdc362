using System.Threading.Channels;
using OrleansLog.Protocol;

namespace OrleansLog.Client.Hosting;

/// <summary>
/// Queues of records, each worked off in its order, all at the same time. Records that must wait for one another come
/// into the same one.
/// </summary>
internal sealed class HandlerLanes
{
    private readonly Channel<Item>[] _lanes;
    private readonly Task[] _workers;
    private readonly bool _byKey;

    private readonly record struct Item(ConsumedRecord<byte[], byte[]> Record, PartitionProgress Progress);

    /// <param name="count">How many there are.</param>
    /// <param name="queuedMax">How many records may wait in all of them.</param>
    /// <param name="order">Which records come into the same one.</param>
    /// <param name="run">Brings a record to its end.</param>
    /// <param name="failed">Told what <paramref name="run"/> threw, but for cancellations; the record is not done then.</param>
    public HandlerLanes(
        int count, int queuedMax, HandlingOrder order, Func<ConsumedRecord<byte[], byte[]>, CancellationToken, Task> run, Action<Exception> failed)
    {
        _byKey = order == HandlingOrder.ByKey;
        var options = new BoundedChannelOptions(Math.Max(1, queuedMax / count)) { SingleReader = true, SingleWriter = true };
        _lanes = [.. Enumerable.Range(0, count).Select(_ => Channel.CreateBounded<Item>(options))];
        _workers = [.. _lanes.Select(lane => WorkAsync(lane.Reader, run, failed))];
    }

    /// <summary>Queues a record. Waits while its lane is full.</summary>
    public ValueTask AddAsync(ConsumedRecord<byte[], byte[]> record, PartitionProgress progress, CancellationToken cancellationToken) =>
        _lanes[LaneOf(record)].Writer.WriteAsync(new Item(record, progress), cancellationToken);

    /// <summary>Takes no more records; completes when all lanes are worked off.</summary>
    public Task CompleteAsync()
    {
        foreach (var lane in _lanes) lane.Writer.TryComplete();
        return Task.WhenAll(_workers);
    }

    private int LaneOf(in ConsumedRecord<byte[], byte[]> record)
    {
        var hash = _byKey && record.HasKey ? Crc32C.Compute(record.Key) : (uint)(record.Partition * 31 + Crc32C.Compute(System.Text.Encoding.UTF8.GetBytes(record.Topic)));
        return (int)(hash % (uint)_lanes.Length);
    }

    private static async Task WorkAsync(ChannelReader<Item> lane, Func<ConsumedRecord<byte[], byte[]>, CancellationToken, Task> run, Action<Exception> failed)
    {
        await foreach (var (record, progress) in lane.ReadAllAsync())
        {
            if (!progress.TryRun()) continue;
            if (!await RunAsync(record, progress, run, failed)) return;
        }
    }

    /// <summary>Answers false when the record failed: those behind it must not overtake it.</summary>
    private static async Task<bool> RunAsync(
        ConsumedRecord<byte[], byte[]> record, PartitionProgress progress, Func<ConsumedRecord<byte[], byte[]>, CancellationToken, Task> run, Action<Exception> failed)
    {
        var isDone = false;
        try
        {
            await run(record, progress.Gone);
            isDone = true;
        }
        catch (OperationCanceledException) when (progress.Gone.IsCancellationRequested)
        {
        }
        catch (Exception failure)
        {
            failed(failure);
            return false;
        }
        finally
        {
            progress.End(record.Offset, isDone);
        }
        return true;
    }
}
