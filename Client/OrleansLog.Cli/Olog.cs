using System.CommandLine;
using System.CommandLine.Help;
using System.Net.Sockets;
using OrleansLog.Cli.Commands;
using OrleansLog.Client;

namespace OrleansLog.Cli;

/// <summary>The whole program: builds the tree of commands, runs one, and turns whatever it throws into a sentence.</summary>
internal static class Olog
{
    private static readonly Lazy<Command> Root = new(CreateRoot);

    /// <summary>Runs one command line.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string[] args, Terminal terminal, CancellationToken cancellationToken = default)
    {
        var parsed = Root.Value.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (UsageErrors.Report(parsed, terminal)) return ExitCode.Usage;
        using var interrupt = new Interrupt(cancellationToken);
        try
        {
            return await parsed.InvokeAsync(terminal, interrupt.Token);
        }
        catch (Exception failure) when (Explain(failure) is { } explained)
        {
            if (explained.Message.Length > 0) await terminal.Error.WriteLineAsync($"olog: {explained.Message}");
            return explained.ExitCode;
        }
    }

    private static (string Message, int ExitCode)? Explain(Exception failure) => failure switch
    {
        CommandException e => (e.Message, e.ExitCode),
        OutputClosedException => ("", ExitCode.Success),
        OperationCanceledException => ("interrupted.", ExitCode.Interrupted),
        OrleansLogException e => (e.Message.Replace("?.", "?", StringComparison.Ordinal), ExitCode.Failure),
        SocketException or IOException or UnauthorizedAccessException => (failure.Message, ExitCode.Failure),
        _ => ($"{failure.GetType().Name}: {failure.Message} This is a defect of olog; please report it with the command.", ExitCode.Failure),
    };

    private static OlogCommand CreateRoot()
    {
        return new OlogCommand(
            "olog",
            "Works with a distributed log: topics, records, consumer groups. Speaks Kafka's protocol to any broker of it.\n\n"
            + "Exit codes: 0 done, 1 failed, 2 the command line makes no sense, 130 interrupted.",
            "olog topics create orders --partitions 3",
            "olog produce orders < orders.txt",
            "olog consume orders --from-beginning --exit-at-end")
        {
            TopicsCommand.Create(),
            ProduceCommand.Create(),
            ConsumeCommand.Create(),
            GroupsCommand.Create(),
            TransactionsCommand.Create(),
            TierCommand.Create(),
            RestoreCommand.Create(),
            ExportCommand.Create(),
            BrokersCommand.Create(),
            BenchCommand.Create(),
            CommonOptions.Bootstrap,
            new HelpOption { Action = new HelpWithExamples(), Recursive = true, Description = "Explains a command, with examples." },
            new Option<bool>("--version") { Action = new ShowVersion(), Description = "Shows the version." },
        };
    }
}
