namespace OrleansLog.InteropTests.Support;

/// <summary>Waiting for what other processes do, which can only be looked at now and then.</summary>
internal static class Watch
{
    private static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    public static async Task UntilAsync(Func<Task<bool>> isReached)
    {
        using var patience = new CancellationTokenSource(WaitMax);
        using var timer = new PeriodicTimer(LookEvery);
        while (!await isReached())
            await timer.WaitForNextTickAsync(patience.Token);
    }

    /// <summary>The whole lines of a file that another process is writing; none while it is not there.</summary>
    public static string[] Lines(string path)
    {
        if (!File.Exists(path))
            return [];
        using var file = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        var text = file.ReadToEnd();
        return text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
