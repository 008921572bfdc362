using System.CommandLine;
using System.CommandLine.Parsing;
using OrleansLog.Cli.Formats;
using OrleansLog.Cli.Output;
using OrleansLog.Client;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog consume</c>: records in, lines out.</summary>
internal static class ConsumeCommand
{
    private static readonly Argument<string> Topic = new("TOPIC") { Description = "The topic to read." };

    private static readonly Option<bool> FromBeginning = new("--from-beginning")
    {
        Description = "Start at the oldest record; in a group, only where it has committed nothing.",
    };

    private static readonly Option<string?> FromOffset = new("--offset")
    {
        Description = "Start at this offset of each partition: a number, earliest or latest; -5 means five before the end.",
        HelpName = "N|earliest|latest",
    };

    private static readonly Option<string?> FromTime = new("--from-time")
    {
        Description = "Start at the first record at or after a time, for instance 2025-06-01T12:00:00Z; local time without Z.",
        HelpName = "TIME",
    };

    private static readonly Option<int[]> Partitions = CommonOptions.Ints("--partition", "Read only these partitions: repeat it, or 0,1,2.");

    private static readonly Option<bool> ExitAtEnd = new("--exit-at-end") { Description = "Stop where the topic ended when the command started." };

    private static readonly Option<long?> Max = CommonOptions.Long("--max", "Stop after so many records.", 0);

    private static readonly Option<string?> Group = new("--group")
    {
        Description = "Read as a member of this consumer group and commit what was written out.",
        HelpName = "NAME",
    };

    private static readonly Option<GroupProtocol?> Protocol = CommonOptions.OneOf(
        "--protocol", "Who shares out the group's partitions: its members (classic, the default) or its coordinator (consumer, KIP-848).",
        ("classic", GroupProtocol.Classic), ("consumer", GroupProtocol.Consumer));

    private static readonly Option<string?> Rack = new("--rack")
    {
        Description = "Where this reader stands, as the brokers' broker.rack: it reads from a replica of that rack, if there is one.",
        HelpName = "NAME",
    };

    private static readonly Option<IsolationLevel?> Isolation = new("--isolation")
    {
        Description = "What to show of transactions: all records, or only those of committed ones (default uncommitted).",
        HelpName = "committed|uncommitted",
        CustomParser = static result => result.Tokens[0].Value switch
        {
            "committed" => IsolationLevel.ReadCommitted,
            "uncommitted" => IsolationLevel.ReadUncommitted,
            var other => Refuse(result, other),
        },
    };

    private static readonly Option<bool> WithOffsets = new("--with-offsets") { Description = "Partition and offset before each line, each followed by a tab." };

    private static readonly Option<bool> WithTimestamps = new("--with-timestamps") { Description = "The record's time before each line, followed by a tab." };

    public static Command Create() => new OlogCommand(
        "consume",
        "Writes the values of a topic's records to standard output, one a line, and nothing else there.\n"
        + "Starts at the end and goes on for ever, unless told otherwise; Ctrl-C ends it cleanly.",
        "olog consume orders --from-beginning --exit-at-end > orders.txt",
        "olog consume orders --offset -10 --with-offsets",
        "olog consume orders --from-time 2025-06-01T12:00:00Z --format json | jq .value",
        "olog consume orders --group kitchen --from-beginning",
        "olog consume orders --group kitchen --protocol consumer")
    {
        Topic, FromBeginning, FromOffset, FromTime, Partitions, ExitAtEnd, Max, Group, Protocol, Rack, Isolation,
        FormatOptions.Format, FormatOptions.Separator, FormatOptions.Null, WithOffsets, WithTimestamps,
    }.Runs(RunAsync);

    private static IsolationLevel? Refuse(ArgumentResult result, string text)
    {
        result.AddError($"'{text}' is not an isolation level: write committed or uncommitted.");
        return null;
    }

    private static async Task RunAsync(Session session, CancellationToken cancellationToken)
    {
        var start = StartOf(session);
        var writer = WriterOf(session);
        var client = await session.ConnectAsync(cancellationToken);
        var topic = await TopicLookup.DescribeAsync(client.Admin, session.Get(Topic), cancellationToken);
        var partitions = TopicLookup.Choose(topic, session.Get(Partitions) ?? []);
        var output = new RecordOutput(session.Terminal.OpenOutput());
        using var progress = new Progress(session.Terminal, hidden: session.Terminal.OutputIsTerminal);
        var reading = new ConsumeRun(writer, output, progress)
        {
            Group = session.Get(Group),
            Protocol = session.Get(Protocol) ?? GroupProtocol.Classic,
            Rack = session.Get(Rack),
            Isolation = session.Get(Isolation) ?? IsolationLevel.ReadUncommitted,
            Start = start,
            RecordsMax = session.Get(Max),
            ExitAtEnd = session.Get(ExitAtEnd),
        };
        if (start == StartPosition.Latest && reading.Group is null) session.Remark("reading from the end; --from-beginning shows what is there already.");
        await reading.RunAsync(client, partitions, cancellationToken);
        progress.Dispose();
        session.Remark($"consumed {Units.Throughput(progress.Records, progress.Bytes, progress.Elapsed)}.");
    }

    private static StartPosition StartOf(Session session)
    {
        Option[] ways = [.. new Option[] { FromBeginning, FromOffset, FromTime }.Where(session.Has)];
        if (ways.Length > 1) throw new CommandException($"{ways[0].Name} and {ways[1].Name} exclude each other.", ExitCode.Usage);
        var misplaced = new Option[] { FromOffset, FromTime, Partitions }.FirstOrDefault(session.Has);
        if (misplaced is not null && session.Has(Group))
        {
            throw new CommandException(
                $"{misplaced.Name} does not go with --group, which decides that itself; move a group with 'olog groups reset-offsets'.", ExitCode.Usage);
        }
        if (session.Get(FromOffset) is { } offset) return StartPosition.ParseOffset(FromOffset.Name, offset);
        if (session.Get(FromTime) is { } time) return StartPosition.ParseTime(FromTime.Name, time);
        return session.Get(FromBeginning) ? StartPosition.Earliest : StartPosition.Latest;
    }

    private static IRecordWriter WriterOf(Session session)
    {
        var prefix = new LinePrefix(session.Get(WithOffsets), session.Get(WithTimestamps));
        return session.Get(FormatOptions.Format) switch
        {
            RecordFormat.KeyValue => new KeyValueWriter(prefix, FormatOptions.SeparatorOf(session), FormatOptions.NullOf(session)),
            RecordFormat.Json => new JsonWriter(),
            _ => new ValueWriter(prefix, FormatOptions.NullOf(session)),
        };
    }
}
