using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace OrleansLog.ClusterTests.Support;

/// <summary>Waits for what other processes do, which can only be looked at now and then.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    public static Task TrueAsync(Func<bool> isReached, [CallerArgumentExpression(nameof(isReached))] string what = "") =>
        TrueAsync(() => Task.FromResult(isReached()), what);

    public static async Task TrueAsync(Func<Task<bool>> isReached, [CallerArgumentExpression(nameof(isReached))] string what = "")
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        var started = Stopwatch.GetTimestamp();
        while (!await isReached())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < Patience, $"It did not come about within {Patience} that {what}");
            await timer.WaitForNextTickAsync();
        }
    }
}
