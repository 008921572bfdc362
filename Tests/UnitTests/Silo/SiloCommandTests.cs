using System.Collections;
using Microsoft.Extensions.Logging;
using OrleansLog.Broker.Configuration;
using OrleansLog.Silo.Options;

namespace OrleansLog.UnitTests.Silo;

public sealed class SiloCommandTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("orleanslog-options-");
    private readonly Hashtable _environment = [];
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();
    private SiloOptions? _served;

    private string SettingsFile => Path.Combine(_directory.FullName, "appsettings.json");

    public void Dispose() => _directory.Delete(recursive: true);

    private Task<int> Run(params string[] args)
    {
        var command = new SiloCommand(
            options =>
            {
                _served = options;
                return Task.FromResult(0);
            },
            SettingsFile,
            _environment);
        return command.RunAsync(args, _output, _error);
    }

    private async Task<SiloOptions> Served(params string[] args)
    {
        Assert.Equal(0, await Run(args));
        return _served!;
    }

    private async Task<string> Refused(params string[] args)
    {
        Assert.Equal(2, await Run(args));
        Assert.Null(_served);
        return _error.ToString().Trim();
    }

    [Fact]
    public async Task Nothing_given_serves_the_defaults() =>
        Assert.Equal(new SiloOptions() with { Config = _served?.Config ?? ConfigValues.Empty }, await Served());

    [Fact]
    public async Task Every_option_arrives()
    {
        var options = await Served(
            "--data", "/d", "--kafka-port", "1", "--http-port", "2", "--brokers", "3", "--host", "::1", "--advertised-host", "me",
            "--engine", "Orleans", "--log-level", "debug", "--config", "num.partitions=4", "--config", "log.retention.hours=5");

        Assert.Equal(
            new SiloOptions
            {
                DataDirectory = "/d",
                KafkaPort = 1,
                HttpPort = 2,
                Brokers = 3,
                Host = "::1",
                AdvertisedHost = "me",
                Engine = Engine.Orleans,
                LogLevel = LogLevel.Debug,
                Config = options.Config,
            },
            options);
        Assert.Equal(4, options.Config.Get(BrokerConfigs.NumPartitions));
        Assert.Equal(5 * 3_600_000, options.Config.Get(TopicConfigs.RetentionMs));
        Assert.Equal(ConfigSource.StaticBroker, options.Config.Describe(BrokerConfigs.NumPartitions).Source);
    }

    [Fact]
    public async Task The_command_line_wins_over_the_environment_and_that_over_the_file()
    {
        await File.WriteAllTextAsync(SettingsFile, """
            { // comments are welcome
              "OrleansLog": { "Data": "file", "KafkaPort": 10, "http-port": 10, "Config": { "num.partitions": 10, "group.max.size": 10, "fetch.max.bytes": 2000 } },
              "Logging": {}
            }
            """);
        _environment["OLOG_KAFKA_PORT"] = "20";
        _environment["OLOG_HTTP_PORT"] = "20";
        _environment["OLOG_CONFIG_NUM_PARTITIONS"] = "20";
        _environment["OLOG_CONFIG__group.max.size"] = "20";

        var options = await Served("--http-port", "30", "--config", "num.partitions=30");

        Assert.Equal(("file", 20, 30), (options.DataDirectory, options.KafkaPort, options.HttpPort));
        Assert.Equal(30, options.Config.Get(BrokerConfigs.NumPartitions));
        Assert.Equal(20, options.Config.Get(BrokerConfigs.GroupMaxSize));
        Assert.Equal(2000, options.Config.Get(BrokerConfigs.FetchMaxBytes));
    }

    [Theory]
    [InlineData("--dta is not an option; did you mean --data?", "--dta", "x")]
    [InlineData("--kafkaport is not an option; did you mean --kafka-port?", "--kafkaport=1")]
    [InlineData("serve is not an option", "serve")]
    [InlineData("--kafka-port is '70000' but must be a number from 0 to 65535", "--kafka-port", "70000")]
    [InlineData("--brokers is '0' but must be a number from 1 to 100", "--brokers", "0")]
    [InlineData("--engine is 'fast' but must be one of: embedded, orleans", "--engine", "fast")]
    [InlineData("--engine is '1' but must be one of: embedded, orleans", "--engine", "1")]
    [InlineData("--data is '' but must be a directory", "--data", "")]
    [InlineData("--config num.partitions is not of the form KEY=VALUE", "--config", "num.partitions")]
    [InlineData("--config num.partition=1: num.partition is not a broker config; did you mean num.partitions?", "--config", "num.partition=1")]
    [InlineData("--config num.partitions=none: num.partitions=none is not a whole number of 32 bits", "--config", "num.partitions=none")]
    [InlineData("--config retention.ms=1: retention.ms is a config of topics; log.retention.ms is its default for all of them", "--config", "retention.ms=1")]
    [InlineData("--config log.dirs=/d: log.dirs cannot be set by name; start the broker with --data DIR instead", "--config", "log.dirs=/d")]
    public async Task A_wrong_command_line_is_answered_with_what_would_be_right(string expected, params string[] args) =>
        Assert.Equal($"orleanslog: {expected} (--help shows what there is)", await Refused(args));

    [Theory]
    [InlineData("OLOG_DATADIR", "/d", "the variable OLOG_DATADIR is not known; did you mean OLOG_DATA?")]
    [InlineData("OLOG_HTTP_PORT", "", "the variable OLOG_HTTP_PORT is '' but must be a number from 0 to 65535")]
    [InlineData("OLOG_CONFIG_LOG_RETENTION_HOUR", "1", "the variable OLOG_CONFIG_LOG_RETENTION_HOUR: log.retention.hour is not a broker config; did you mean log.retention.hours?")]
    public async Task A_wrong_variable_is_answered_with_what_would_be_right(string name, string value, string expected)
    {
        _environment[name] = value;

        Assert.Contains(expected, await Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Variables_of_the_command_line_client_and_of_others_are_let_be()
    {
        _environment["OLOG_BOOTSTRAP"] = "localhost:9092";
        _environment["PATH"] = "/bin";

        await Served();
    }

    [Theory]
    [InlineData("""{ "OrleansLog": { "KafkaPrt": 1 } }""", "sets OrleansLog:KafkaPrt, which is not known; did you mean kafka-port?")]
    [InlineData("""{ "OrleansLog": { "KafkaPort": true } }""", "OrleansLog:KafkaPort is 'True' but must be a number from 0 to 65535")]
    [InlineData("""{ "OrleansLog": { "Config": { "num.partitions": "x" } } }""", "OrleansLog:Config:num.partitions: num.partitions=x is not a whole number")]
    [InlineData("""{ "OrleansLog": { "Config": 7 } }""", "OrleansLog:Config is not a JSON object")]
    [InlineData("""{ "OrleansLog": """, "cannot be read: ")]
    [InlineData("[]", "does not hold a JSON object")]
    public async Task A_wrong_settings_file_is_answered_with_what_would_be_right(string content, string expected)
    {
        await File.WriteAllTextAsync(SettingsFile, content);

        Assert.Contains(expected, await Refused(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--help", "Examples:")]
    [InlineData("--version", "")]
    [InlineData("--list-configs", "log.flush.interval.messages=1")]
    public async Task What_only_tells_does_not_serve(string option, string expected)
    {
        Assert.Equal(0, await Run(option));
        Assert.Null(_served);
        Assert.Contains(expected, _output.ToString(), StringComparison.Ordinal);
        Assert.Equal("", _error.ToString());
    }
}
