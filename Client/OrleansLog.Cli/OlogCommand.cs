using System.CommandLine;

namespace OrleansLog.Cli;

/// <summary>A command with examples, which its help shows.</summary>
internal sealed class OlogCommand(string name, string description, params string[] examples) : Command(name, description)
{
    public IReadOnlyList<string> Examples => examples;

    /// <summary>Says what the command does; returns the command.</summary>
    public OlogCommand Runs(Func<Session, CancellationToken, Task<int>> action)
    {
        SetAction(async (parsed, cancellationToken) =>
        {
            await using var session = new Session(parsed);
            return await action(session, cancellationToken);
        });
        return this;
    }

    /// <inheritdoc cref="Runs(Func{Session, CancellationToken, Task{int}})"/>
    public OlogCommand Runs(Func<Session, CancellationToken, Task> action) => Runs(async (session, cancellationToken) =>
    {
        await action(session, cancellationToken);
        return ExitCode.Success;
    });
}
