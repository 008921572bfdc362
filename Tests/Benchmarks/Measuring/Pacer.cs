using System.Diagnostics;
using System.Runtime.InteropServices;

namespace OrleansLog.Benchmarks.Measuring;

/// <summary>
/// Due times at a fixed rate. A record that leaves late keeps the time at which it was due, so that a broker which holds
/// the sender up is charged with the wait of every record behind it (no coordinated omission; Gil Tene).
/// Used by one thread, which must be the one that created it: the timer's slack belongs to a thread.
/// </summary>
internal sealed partial class Pacer
{
    private const int SetTimerSlack = 29; // PR_SET_TIMERSLACK of prctl(2)
    private static readonly long SpinTicks = Stopwatch.Frequency / 20_000; // the last 50 µs are spun

    private readonly long _start;
    private readonly double _ticksPerRecord;
    private long _next;

    public Pacer(double recordsPerSecond)
    {
        _ = Prctl(SetTimerSlack, 1, 0, 0, 0);
        _ticksPerRecord = Stopwatch.Frequency / recordsPerSecond;
        _start = Stopwatch.GetTimestamp() + (Stopwatch.Frequency / 100);
    }

    private long DueTime(long record) => _start + (long)(record * _ticksPerRecord);

    /// <summary>Waits until a record is due, then takes the due times of all that are by now, as many as fit.</summary>
    /// <returns>How many times were written; at least 1.</returns>
    public int TakeDue(Span<long> dueTimes)
    {
        WaitUntil(DueTime(_next));
        var now = Stopwatch.GetTimestamp();
        var count = 0;
        do
        {
            dueTimes[count++] = DueTime(_next++);
        }
        while (count < dueTimes.Length && DueTime(_next) <= now);
        return count;
    }

    private static void WaitUntil(long due)
    {
        for (var left = due - Stopwatch.GetTimestamp(); left > 0; left = due - Stopwatch.GetTimestamp())
        {
            if (left > 2 * SpinTicks)
            {
                var nanoseconds = (left - SpinTicks) * (1_000_000_000 / Stopwatch.Frequency);
                var time = new TimeSpec { Seconds = nanoseconds / 1_000_000_000, Nanoseconds = nanoseconds % 1_000_000_000 };
                _ = NanoSleep(in time, 0);
            }
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "nanosleep")]
    private static partial int NanoSleep(in TimeSpec requested, nint remaining);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Prctl(int option, nuint a, nuint b, nuint c, nuint d);
}
