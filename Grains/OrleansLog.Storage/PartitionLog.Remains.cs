namespace OrleansLog.Storage;

/// <summary>
/// What an append leaves behind that failed half-way: batches, perhaps whole ones, that nobody was told of. A flush may already
/// have taken them to the disk. Were others put in their place at once, a crash could bring the first ones back, of the same
/// offsets and the same leader epoch as what the other replicas hold there. So no append until they are cut off for good.
/// </summary>
public sealed partial class PartitionLog
{
    private bool _isCuttingRemains;

    private bool HasRemains => _segments is [.., { HasRemains: true }];

    private void ThrowIfRemains()
    {
        if (!HasRemains) return;
        CutRemains();
        throw new StorageException($"{Directory} takes no append until what a failed one left there is cut off: try again");
    }

    private void CutRemains()
    {
        if (!HasRemains || _isCuttingRemains) return;
        _isCuttingRemains = true;
        _ = Enqueue(CutRemainsNowAsync);
    }

    private async Task CutRemainsNowAsync()
    {
        try
        {
            if (Failure is null && HasRemains) await _segments[^1].CutRemainsAsync();
        }
        catch (Exception e)
        {
            FailFlush(e);
        }
        finally
        {
            lock (_turn) _isCuttingRemains = false;
        }
    }
}
