using System.Globalization;

namespace OrleansLog.Benchmarks.Measuring;

/// <summary>What a set of processes has used so far, read from /proc (proc(5)); differences of two are what counts.</summary>
/// <param name="CpuSeconds">User and system time, in seconds of one core.</param>
/// <param name="ResidentBytes">Resident memory now.</param>
/// <param name="WrittenBytes">Bytes handed to block devices (write_bytes of /proc/PID/io); 0 where it may not be read.</param>
internal readonly record struct ProcessUsage(double CpuSeconds, long ResidentBytes, long WrittenBytes)
{
    // USER_HZ, which the kernel fixes at 100 for everything that it shows in /proc.
    private const double TicksPerSecond = 100;

    public static ProcessUsage Of(IEnumerable<int> processIds)
    {
        var total = default(ProcessUsage);
        foreach (var id in processIds)
        {
            total += Of(id);
        }

        return total;
    }

    public static ProcessUsage Of(int processId)
    {
        try
        {
            return new ProcessUsage(CpuOf(processId), ResidentOf(processId), WrittenOf(processId));
        }
        catch (IOException)
        {
            return default; // the process has ended
        }
    }

    public static ProcessUsage OfSelf() => Of(Environment.ProcessId);

    public static ProcessUsage operator +(ProcessUsage a, ProcessUsage b) =>
        new(a.CpuSeconds + b.CpuSeconds, a.ResidentBytes + b.ResidentBytes, a.WrittenBytes + b.WrittenBytes);

    private static double CpuOf(int processId)
    {
        // The second field is the command in brackets and may hold spaces: count from its end.
        var stat = File.ReadAllText($"/proc/{processId}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (Number(fields[11]) + Number(fields[12])) / TicksPerSecond;
    }

    private static long ResidentOf(int processId) =>
        Number(File.ReadAllText($"/proc/{processId}/statm").Split(' ')[1]) * Environment.SystemPageSize;

    private static long WrittenOf(int processId)
    {
        try
        {
            var line = File.ReadLines($"/proc/{processId}/io").First(x => x.StartsWith("write_bytes:", StringComparison.Ordinal));
            return Number(line["write_bytes:".Length..]);
        }
        catch (UnauthorizedAccessException)
        {
            return 0;
        }
    }

    private static long Number(string text) => long.Parse(text, NumberStyles.Integer, CultureInfo.InvariantCulture);
}
