using System.Diagnostics;

namespace OrleansLog.ClusterTests.Processes;

/// <summary>Sends signals to processes that a test has started.</summary>
internal static class Signals
{
    public static async Task SendAsync(Process process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{process.Id}"]);
        await kill.WaitForExitAsync();
    }
}
