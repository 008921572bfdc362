using System.Collections.Concurrent;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Client.Producing;

/// <summary>Batch builders between two batches; a few are kept, with their buffers.</summary>
internal sealed class BuilderPool(int batchBytes)
{
    private const int KeptMax = 32;

    private readonly ConcurrentBag<RecordBatchBuilder> _idle = [];

    public RecordBatchBuilder Rent() => _idle.TryTake(out var builder) ? builder : new RecordBatchBuilder(batchBytes);

    public void Return(RecordBatchBuilder builder)
    {
        builder.Reset();
        if (_idle.Count < KeptMax) _idle.Add(builder);
        else builder.Dispose();
    }
}
