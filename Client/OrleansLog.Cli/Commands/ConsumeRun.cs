using OrleansLog.Cli.Formats;
using OrleansLog.Cli.Output;
using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary>One reading of a topic, from its start position until its end, its limit or an interruption.</summary>
internal sealed class ConsumeRun(IRecordWriter writer, RecordOutput output, Progress progress)
{
    public required string? Group { get; init; }
    public GroupProtocol Protocol { get; init; }

    public required string? Rack { get; init; }

    public required IsolationLevel Isolation { get; init; }

    public required StartPosition Start { get; init; }

    public required long? RecordsMax { get; init; }

    public required bool ExitAtEnd { get; init; }

    public async Task RunAsync(OrleansLogClient client, IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var ranges = await OffsetRanges.OfAsync(client.Admin, partitions, cancellationToken, Isolation);
        var end = ExitAtEnd ? new EndOfReading(partitions.ToDictionary(p => p, p => ranges.Of(p).End), stop) : null;
        await using var consumer = client.CreateConsumer(OptionsOf());
        GroupReading? group = null;
        if (Group is null)
        {
            var starts = await Start.ResolveAsync(client.Admin, partitions, ranges, cancellationToken);
            consumer.Assign(starts.Select(s => new TopicPartitionOffset(s.Key, s.Value)));
            end?.Begin(starts);
        }
        else
        {
            group = new GroupReading(consumer, end, Start == StartPosition.Earliest, ranges);
            consumer.Subscribe([partitions.First().Topic], group);
        }
        await ReadAsync(consumer, group, end, stop.Token);
        if (group is not null) await group.CommitAsync(CancellationToken.None);
    }

    private ConsumerOptions OptionsOf() => new()
    {
        GroupId = Group,
        Protocol = Protocol,
        Rack = Rack,
        IsolationLevel = Isolation,
        Commit = CommitMode.Manual,
        OffsetReset = Group is null || Start == StartPosition.Earliest ? OffsetReset.Earliest : OffsetReset.Latest,
    };

    private async Task ReadAsync(Consumer consumer, GroupReading? group, EndOfReading? end, CancellationToken stop)
    {
        if (RecordsMax == 0) return;
        try
        {
            await using var batches = consumer.ConsumeBatchesAsync(stop).GetAsyncEnumerator(stop);
            while (await NextAsync(batches, group, stop))
            {
                var batch = batches.Current;
                var next = Write(batch, end?.Of(batch.Partition) ?? new Offset(long.MaxValue));
                if (group is not null)
                {
                    output.Flush();
                    await group.HandledAsync(batch.Partition, next, stop);
                }
                if (progress.Records == RecordsMax) break;
                end?.Handled(consumer, batch.Partition, next);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        output.Flush();
    }

    /// <summary>While there is nothing to read, nothing stays in the buffer, and for long nothing uncommitted.</summary>
    private async ValueTask<bool> NextAsync(IAsyncEnumerator<FetchedBatch> batches, GroupReading? group, CancellationToken stop)
    {
        var next = batches.MoveNextAsync();
        if (next.IsCompleted) return await next;
        output.Flush();
        if (group is not { HasUncommitted: true }) return await next;
        var arrival = next.AsTask();
        if (await Task.WhenAny(arrival, Task.Delay(GroupReading.CommitInterval, stop)) != arrival) await group.CommitAsync(stop);
        return await arrival;
    }

    /// <summary>Writes the records before the limits.</summary>
    /// <returns>The offset to go on from.</returns>
    private Offset Write(FetchedBatch batch, Offset end)
    {
        var left = RecordsMax - progress.Records ?? long.MaxValue;
        var (records, before, next) = (0, output.TotalBytes, batch.NextOffset);
        foreach (var record in batch)
        {
            if (records == left || record.Offset >= end)
            {
                next = record.Offset;
                break;
            }
            writer.Write(record, batch.Partition, output);
            records++;
        }
        progress.Add(records, output.TotalBytes - before);
        return next;
    }
}
