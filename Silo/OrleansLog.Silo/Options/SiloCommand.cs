using System.CommandLine;
using System.CommandLine.Help;
using OrleansLog.Broker.Configuration;

namespace OrleansLog.Silo.Options;

/// <summary>
/// The command line: every <see cref="Setting"/> as an option, <c>--config</c>, <c>--list-configs</c>, help and version.
/// </summary>
internal sealed class SiloCommand
{
    private readonly RootCommand _root = new(
        "OrleansLog: a distributed, durable log that speaks Kafka's protocol. Starts a broker and serves until it is told to stop.");
    private readonly Dictionary<Setting, Option<string>> _options = Settings.All.ToDictionary(
        s => s, s => new Option<string>(s.Option) { Description = s.Documentation, HelpName = s.Value });
    private readonly Option<string[]> _configs = new("--" + Settings.Config)
    {
        Description = "A broker config under Kafka's name; may be given many times",
        HelpName = "KEY=VALUE",
    };
    private readonly Option<bool> _listConfigs = new("--list-configs")
    {
        Description = "Show every broker config with its default and meaning, and exit",
    };

    public SiloCommand(Func<SiloOptions, Task<int>> serve, string settingsFile, System.Collections.IDictionary environment)
    {
        foreach (var option in _options.Values)
            _root.Options.Add(option);
        _root.Options.Add(_configs);
        _root.Options.Add(_listConfigs);
        var help = _root.Options.OfType<HelpOption>().Single();
        help.Action = new TeachingHelp((HelpAction)help.Action!);
        _root.SetAction((parsed, _) => parsed.GetValue(_listConfigs)
            ? Task.FromResult(ListConfigs(parsed.InvocationConfiguration.Output))
            : serve(OptionsReader.Read(SettingSources.FromFile(settingsFile), SettingSources.FromEnvironment(environment), FromCommandLine(parsed))));
    }

    /// <summary>Parses and runs; a <see cref="StartException"/> becomes one line on <paramref name="error"/> and its exit code.</summary>
    public async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        try
        {
            var parsed = _root.Parse(args);
            if (parsed.UnmatchedTokens is [var token, ..] && token.Split('=')[0] is var unknown)
                throw SettingSources.Unknown($"{unknown} is not an option", unknown, _root.Options.Select(o => o.Name));
            if (parsed.Errors is [var problem, ..])
                throw new StartException(ExitCode.Usage, problem.Message);
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                Output = output,
                Error = error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            });
        }
        catch (StartException failure)
        {
            await error.WriteLineAsync(failure.ExitCode is ExitCode.Usage
                ? $"orleanslog: {failure.Message} (--help shows what there is)"
                : $"orleanslog: {failure.Message}");
            return (int)failure.ExitCode;
        }
    }

    private SettingSource FromCommandLine(ParseResult parsed)
    {
        var source = new SettingSource();
        foreach (var (setting, option) in _options)
        {
            if (parsed.GetResult(option) is not null)
                source.Settings.Add((setting, parsed.GetValue(option) ?? "", setting.Option));
        }
        foreach (var pair in parsed.GetValue(_configs) ?? [])
        {
            var split = pair.IndexOf('=', StringComparison.Ordinal);
            source.Configs.Add(split > 0
                ? (pair[..split].Trim(), pair[(split + 1)..], $"--config {pair}")
                : throw new StartException(ExitCode.Usage, $"--config {pair} is not of the form KEY=VALUE"));
        }
        return source;
    }

    private static int ListConfigs(TextWriter output)
    {
        foreach (var config in BrokerConfigs.All.Definitions.Where(c => c.SetByOption is null))
        {
            output.WriteLine($"{config.Name}={config.DefaultText}");
            output.WriteLine($"    {config.Documentation}{(config.Allowed.Length > 0 ? $" Allowed: {config.Allowed}." : "")}");
        }
        return (int)ExitCode.Success;
    }
}
