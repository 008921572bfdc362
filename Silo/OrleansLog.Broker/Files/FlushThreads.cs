using System.Diagnostics;

namespace OrleansLog.Broker.Files;

/// <summary>The threads for flushes, which are measured.</summary>
internal sealed class FlushThreads(int count) : DiskThreads(count, "log flush")
{
    public const int DefaultCount = 4;

    protected override void Perform(IDiskWork work)
    {
        try
        {
            var startedAt = Stopwatch.GetTimestamp();
            work.Run();
            StorageMetrics.Flushed(startedAt);
        }
        catch (Exception)
        {
            StorageMetrics.FlushFailed();
            throw;
        }
    }
}
