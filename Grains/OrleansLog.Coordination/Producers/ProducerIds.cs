namespace OrleansLog.Coordination.Producers;

/// <summary>
/// The producer ids that one broker gives away, from the block that it was handed last. What is left of a block when the
/// broker ends is lost: there are 2^63 ids. Any thread.
/// </summary>
/// <param name="blocks">Where blocks come from.</param>
/// <param name="closing">Ends with the broker, and with it every wait for a block.</param>
public sealed class ProducerIds(IProducerIdBlocks blocks, CancellationToken closing)
{
    private readonly Lock _gate = new();
    private long _next;
    private long _end;
    private Task? _taking;

    /// <summary>An id that nobody else has or will have.</summary>
    /// <exception cref="OperationCanceledException">The caller gave up, or the broker ends.</exception>
    public async ValueTask<long> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task taking;
            lock (_gate)
            {
                if (_next < _end) return _next++;
                // All who wait share one block, whoever of them gives up.
                if (_taking is null or { IsCompleted: true }) _taking = TakeAsync();
                taking = _taking;
            }

            await taking.WaitAsync(cancellationToken);
        }
    }

    private async Task TakeAsync()
    {
        var block = await blocks.TakeAsync(closing);
        lock (_gate) (_next, _end) = (block.First, block.First + block.Count);
    }
}
