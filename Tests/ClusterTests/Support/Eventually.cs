using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace OrleansLog.ClusterTests.Support;

/// <summary>Waits for what other processes do, which can only be looked at now and then.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <param name="isReached">What is waited for.</param>
    /// <param name="what">The same in words.</param>
    /// <param name="explain">What to say in addition when it does not come about.</param>
    public static Task TrueAsync(
        Func<bool> isReached, [CallerArgumentExpression(nameof(isReached))] string what = "", Func<Task<string>>? explain = null) =>
        TrueAsync(() => Task.FromResult(isReached()), what, explain);

    /// <inheritdoc cref="TrueAsync(Func{bool}, string, Func{Task{string}})"/>
    public static async Task TrueAsync(
        Func<Task<bool>> isReached, [CallerArgumentExpression(nameof(isReached))] string what = "", Func<Task<string>>? explain = null)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        var started = Stopwatch.GetTimestamp();
        while (!await isReached())
        {
            if (Stopwatch.GetElapsedTime(started) >= Patience)
                Assert.Fail($"It did not come about within {Patience} that {what}. {(explain is null ? "" : await explain())}");
            await timer.WaitForNextTickAsync();
        }
    }
}
