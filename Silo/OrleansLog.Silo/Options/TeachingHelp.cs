using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace OrleansLog.Silo.Options;

/// <summary>The usual list of options, and then what a newcomer does with them.</summary>
internal sealed class TeachingHelp(HelpAction list) : SynchronousCommandLineAction
{
    private const string Lesson = """
        Examples:
          # A broker for this machine, data in ./data
          OrleansLog.Silo

          # Another port, data on another disk, three partitions for new topics
          OrleansLog.Silo --kafka-port 9192 --data /mnt/log --config num.partitions=3

          # For other machines: listen everywhere, and tell clients which name to use
          OrleansLog.Silo --host 0.0.0.0 --advertised-host log.example.com

          # Faster and less safe: acknowledge before the disk has it
          OrleansLog.Silo --config log.flush.interval.messages=9223372036854775807

        Every option can also be given in the environment (OLOG_KAFKA_PORT=9192,
        OLOG_CONFIG_NUM_PARTITIONS=3) and in appsettings.json of the working directory:
          { "OrleansLog": { "KafkaPort": 9192, "Config": { "num.partitions": 3 } } }
        The command line wins over the environment, the environment over the file.

        Stop with Ctrl+C or SIGTERM: everything is flushed and the process ends within seconds.
        Exit codes: 2 wrong option, 3 address in use, 4 data directory in use, 5 data directory
        not usable, 6 data of a later release or of something else, 1 anything else.
        """;

    public override int Invoke(ParseResult parseResult)
    {
        var result = list.Invoke(parseResult);
        parseResult.InvocationConfiguration.Output.WriteLine(Lesson);
        return result;
    }
}
