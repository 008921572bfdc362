using System.Diagnostics;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Client;

/// <summary>Moves a manual clock while something that waits on it has more than one wait to go through.</summary>
public static class ClockDriver
{
    private const int TurnsPerStep = 50;

    // In real time, since what is waited for may be kept from its turn by other processes, however often this one yields.
    private static readonly TimeSpan GivesUpAfter = TimeSpan.FromMinutes(1);

    /// <summary>Advances step by step until the task ends.</summary>
    public static Task AdvanceUntilAsync(this ManualClock clock, Task task, int stepMs) => clock.AdvanceUntilAsync(() => task.IsCompleted, stepMs);

    /// <summary>Advances step by step until something has come about, and fails when it never does.</summary>
    public static async Task AdvanceUntilAsync(this ManualClock clock, Func<bool> isDone, int stepMs)
    {
        var started = Stopwatch.GetTimestamp();
        for (var step = 0L; !isDone(); step++)
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < GivesUpAfter, $"it has not come about within {step * stepMs} ms");
            // Whatever the last step set off goes on elsewhere: let it get to its next wait, or to its end.
            for (var turn = 0; turn < TurnsPerStep && !isDone(); turn++) await Task.Yield();
            // A turn may come back at once while others wait for theirs, and the clock must not run away from them.
            if (!isDone()) await Task.Delay(1);
            if (!isDone()) clock.AdvanceMs(stepMs);
        }
    }
}
