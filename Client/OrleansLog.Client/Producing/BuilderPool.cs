using System.Collections.Concurrent;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Client.Producing;

/// <summary>Batch builders between two batches; some are kept, with their buffers.</summary>
internal sealed class BuilderPool(int batchBytes, long bufferBytes)
{
    // Half of what the buffer can hold: enough for a steady flow, without keeping the memory of its worst moment.
    private readonly int _keptMax = (int)Math.Clamp(bufferBytes / batchBytes / 2, 8, 1024);
    private readonly ConcurrentBag<RecordBatchBuilder> _idle = [];

    public RecordBatchBuilder Rent() => _idle.TryTake(out var builder) ? builder : new RecordBatchBuilder(batchBytes);

    public void Return(RecordBatchBuilder builder)
    {
        builder.Reset();
        if (_idle.Count < _keptMax) _idle.Add(builder);
        else builder.Dispose();
    }
}
