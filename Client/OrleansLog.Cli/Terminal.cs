using System.CommandLine;
using Microsoft.Win32.SafeHandles;
using OrleansLog.Client;

namespace OrleansLog.Cli;

/// <summary>
/// Where a command reads and writes: the process's own streams, or a test's. Text (tables, messages) goes to
/// <see cref="InvocationConfiguration.Output"/> and <see cref="InvocationConfiguration.Error"/>, record bytes through
/// the streams, and no command uses both kinds of output for records.
/// </summary>
internal sealed class Terminal : InvocationConfiguration
{
    /// <summary>Opens standard input as bytes.</summary>
    public required Func<Stream> OpenInput { get; init; }

    /// <summary>Opens standard output as bytes. A reader that went away shows as an <see cref="IOException"/>.</summary>
    public required Func<Stream> OpenOutput { get; init; }

    /// <summary>The clock that waiting commands wait by.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Makes the client of a cluster that is not reached over the network; null where all are.</summary>
    public Func<ClientOptions, OrleansLogClient>? OpenClient { get; init; }

    public bool InputIsTerminal { get; init; }

    public bool OutputIsTerminal { get; init; }

    public bool ErrorIsTerminal { get; init; }

    public static Terminal OfProcess() => new()
    {
        OpenInput = Console.OpenStandardInput,
        OpenOutput = OpenStandardOutput,
        InputIsTerminal = !Console.IsInputRedirected,
        OutputIsTerminal = !Console.IsOutputRedirected,
        ErrorIsTerminal = !Console.IsErrorRedirected,
        EnableDefaultExceptionHandler = false,
        ProcessTerminationTimeout = null,
    };

    // Console's stream swallows "broken pipe", so that a consumer would go on for ever after `| head`; a FileStream
    // reports it. On a seekable file, though, a FileStream writes at positions of its own and leaves the shared one
    // behind, over which the next program of a script would write.
    private static Stream OpenStandardOutput()
    {
        if (OperatingSystem.IsWindows() || !Console.IsOutputRedirected) return Console.OpenStandardOutput();
        var pipe = new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
        return pipe.CanSeek ? Console.OpenStandardOutput() : pipe;
    }
}
