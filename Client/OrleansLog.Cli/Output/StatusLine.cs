namespace OrleansLog.Cli.Output;

/// <summary>
/// What a long command is at, on standard error: one line that changes where a person watches, else a line each time it
/// says something new. One thread at a time.
/// </summary>
internal sealed class StatusLine(Terminal terminal) : IDisposable
{
    private const string EraseLine = "\r\u001b[K";

    private string _shown = "";

    public void Show(string text)
    {
        if (text == _shown) return;
        _shown = text;
        if (terminal.ErrorIsTerminal) terminal.Error.Write(EraseLine + text);
        else terminal.Error.WriteLine($"olog: {text}");
        terminal.Error.Flush();
    }

    /// <summary>Takes the line off the screen. Call it before anything else is said.</summary>
    public void Dispose()
    {
        if (terminal.ErrorIsTerminal && _shown.Length > 0) terminal.Error.Write(EraseLine);
    }
}
