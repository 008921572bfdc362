using System.CommandLine;
using System.CommandLine.Parsing;

namespace OrleansLog.Cli;

/// <summary>Says in one sentence what is wrong with a command line, and what was probably meant.</summary>
internal static class UsageErrors
{
    /// <returns>Whether there was anything to report.</returns>
    public static bool Report(ParseResult parsed, Terminal terminal)
    {
        if (parsed.Errors.Count == 0 || parsed.Action is HelpWithExamples or ShowVersion) return false;
        var command = parsed.CommandResult.Command;
        terminal.Error.WriteLine($"olog: {Describe(parsed, command)}");
        terminal.Error.WriteLine($"Try '{PathOf(command)} --help'.");
        return true;
    }

    private static string Describe(ParseResult parsed, Command command)
    {
        if (parsed.UnmatchedTokens is [var token, ..]) return Unknown(token, command);
        if (command is { Subcommands.Count: > 0, Action: null })
            return $"'{PathOf(command)}' needs a command: {string.Join(", ", command.Subcommands.Select(c => c.Name))}.";
        return parsed.Errors[0].SymbolResult switch
        {
            ArgumentResult { Tokens.Count: 0, Argument: var argument, Parent: CommandResult } => $"'{PathOf(command)}' needs {argument.Name}.",
            CommandResult when MissingArgument(parsed, command) is { } name => $"'{PathOf(command)}' needs {name}.",
            OptionResult { IdentifierToken: null, Option: var option } => $"'{PathOf(command)}' needs {option.Name} {option.HelpName}.",
            OptionResult { Tokens.Count: 0, Option: var option } => $"{option.Name} needs a value: {option.Name} {option.HelpName}.",
            _ => parsed.Errors[0].Message,
        };
    }

    private static string? MissingArgument(ParseResult parsed, Command command) =>
        command.Arguments.FirstOrDefault(a => a.Arity.MinimumNumberOfValues > 0 && parsed.GetResult(a) is not { Tokens.Count: > 0 })?.Name;

    private static string Unknown(string token, Command command)
    {
        if (token.StartsWith('-')) return $"'{PathOf(command)}' has no option '{token}'{NearestName.Suggest(token, OptionsOf(command))}";
        if (command.Subcommands.Count == 0) return $"'{PathOf(command)}' does not know what to do with '{token}'.";
        return $"'{PathOf(command)}' has no command '{token}'{NearestName.Suggest(token, command.Subcommands.Select(c => c.Name))}";
    }

    private static IEnumerable<string> OptionsOf(Command command)
    {
        var own = command.Options.SelectMany(o => o.Aliases.Prepend(o.Name));
        var inherited = Ancestors(command).Skip(1).SelectMany(c => c.Options).Where(o => o.Recursive).Select(o => o.Name);
        return own.Concat(inherited);
    }

    private static string PathOf(Command command) => string.Join(' ', Ancestors(command).Reverse().Select(c => c.Name));

    private static IEnumerable<Command> Ancestors(Command command)
    {
        for (Command? c = command; c is not null; c = c.Parents.OfType<Command>().FirstOrDefault()) yield return c;
    }
}
