using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary>Tells what became of each of several things.</summary>
internal static class ItemResults
{
    /// <returns>The exit code: failure if one of them failed.</returns>
    public static int Report(Session session, IReadOnlyList<ItemResult> results, string done, string notDone)
    {
        foreach (var result in results)
        {
            if (result.Error == ErrorCode.None) session.Out.WriteLine($"{done} '{result.Name}'.");
            else session.Error.WriteLine($"olog: {notDone} '{result.Name}': {(result.Message ?? result.Error.ToString()).TrimEnd('.')}.");
        }
        return results.All(r => r.Error == ErrorCode.None) ? ExitCode.Success : ExitCode.Failure;
    }
}
