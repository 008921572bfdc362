namespace OrleansLog.Cli;

/// <summary>A command cannot go on; the message is what its user sees: what happened, to what, what to do.</summary>
internal sealed class CommandException(string message, int exitCode = ExitCode.Failure) : Exception(message)
{
    public int ExitCode => exitCode;
}

/// <summary>What <c>olog</c> ends with.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>The command was understood and failed.</summary>
    public const int Failure = 1;

    /// <summary>The command line makes no sense.</summary>
    public const int Usage = 2;

    /// <summary>Interrupted before it was done, by the shells' convention.</summary>
    public const int Interrupted = 130;
}
