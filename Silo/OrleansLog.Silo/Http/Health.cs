namespace OrleansLog.Silo.Http;

/// <summary>What the health pages say. One per process; any thread.</summary>
public sealed class Health
{
    private volatile Func<string?> _notReady = () => "starting";

    /// <summary>Why the process cannot serve at this moment; null if it can.</summary>
    public string? NotReady => _notReady();

    /// <summary>From now on <paramref name="notReady"/> knows; it is asked from any thread, for every look at the page.</summary>
    public void Follow(Func<string?> notReady) => _notReady = notReady;

    /// <summary>The process has begun to stop.</summary>
    public void Stop() => _notReady = () => "stopping";
}
