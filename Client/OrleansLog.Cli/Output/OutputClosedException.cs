namespace OrleansLog.Cli;

/// <summary>Whoever read our output has gone, as in <c>| head</c>: time to end, without a word.</summary>
internal sealed class OutputClosedException(IOException cause) : Exception(cause.Message, cause);
