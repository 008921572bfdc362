using System.Text;
using OrleansLog.Cli;
using OrleansLog.Client;

namespace OrleansLog.UnitTests.Cli;

/// <summary>What a command left behind.</summary>
internal sealed record OlogResult(int ExitCode, string Text, string Error, byte[] Records)
{
    public string RecordText => Encoding.UTF8.GetString(Records);
}

/// <summary>Runs <c>olog</c> in this process, with its input given and its output caught.</summary>
internal static class OlogScript
{
    /// <param name="line">The command line, split at blanks.</param>
    /// <param name="input">Standard input.</param>
    /// <param name="openClient">Makes the client of a cluster that is not reached over the network.</param>
    /// <param name="time">The clock that waiting commands wait by.</param>
    public static async Task<OlogResult> RunAsync(
        string line, byte[]? input = null, Func<ClientOptions, OrleansLogClient>? openClient = null, TimeProvider? time = null)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        using var records = new MemoryStream();
        var terminal = new Terminal
        {
            Output = output,
            Error = error,
            OpenInput = () => new MemoryStream(input ?? []),
            OpenOutput = () => records,
            OpenClient = openClient,
            Time = time ?? TimeProvider.System,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        };
        var exitCode = await Olog.RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries), terminal);
        return new OlogResult(exitCode, output.ToString(), error.ToString(), records.ToArray());
    }
}
