namespace OrleansLog.ClusterTests.Processes;

/// <summary>Waits for what other processes do, which can only be looked at now and then.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    public static Task TrueAsync(Func<bool> isReached) => TrueAsync(() => Task.FromResult(isReached()));

    public static async Task TrueAsync(Func<Task<bool>> isReached)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!await isReached())
            await timer.WaitForNextTickAsync(patience.Token);
    }
}
