using System.CommandLine;
using System.Text;
using OrleansLog.Cli.Formats;
using OrleansLog.Client;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog produce</c>: lines in, records out.</summary>
internal static class ProduceCommand
{
    private static readonly Argument<string> Topic = new("TOPIC") { Description = "The topic to write to." };

    private static readonly Option<string?> InputFile = new("--file")
    {
        Description = "Read this file instead of standard input.",
        HelpName = "PATH",
    };

    private static readonly Option<string?> Key = new("--key") { Description = "The key of every record that has none of its own.", HelpName = "TEXT" };

    private static readonly Option<bool> KeyOptional = new("--key-optional")
    {
        Description = "In the format key-value, take a line without a separator for a value without a key.",
    };

    private static readonly Option<Acks?> AckLevel = CommonOptions.AcksOption();

    private static readonly Option<CompressionType?> Compression = CommonOptions.CompressionOption();

    private static readonly Option<int?> Partition = CommonOptions.Int("--partition", "Write all records to this partition.", 0);

    private static readonly Option<KeyValuePair<string, string>[]> Header = CommonOptions.Pairs("--header", "A header of every record; may be repeated.");

    private static readonly Option<int?> BatchBytes = CommonOptions.Int("--batch-bytes", "The size at which a batch is sent (default 1,000,000).", 1);

    private static readonly Option<int?> LingerMs = CommonOptions.Int(
        "--linger-ms", "How long a record may wait for company, in milliseconds (default 0).", 0);

    public static Command Create() => new OlogCommand(
        "produce",
        "Writes records, one for each line of standard input or a file. Lines are bytes: whatever is in them arrives.\n"
        + "Ends when the input ends and all is acknowledged, and fails if one record could not be written.",
        "olog produce orders < orders.txt",
        "olog produce logs --file /var/log/syslog --compression zstd",
        "printf 'soup:2\\nrice:1\\n' | olog produce orders --format key-value",
        """echo '{"key":"soup","value":{"count":2},"headers":{"from":"web"}}' | olog produce orders --format json""",
        "olog consume orders --from-beginning --exit-at-end --format json | olog produce orders-copy --format json")
    {
        Topic, InputFile, FormatOptions.Format, FormatOptions.Separator, FormatOptions.Null, Key, KeyOptional,
        AckLevel, Compression, Partition, Header, BatchBytes, LingerMs,
    }.Runs(RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var parser = ParserOf(session);
        await using var input = Open(session);
        var client = await session.ConnectAsync(cancellationToken);
        var topic = session.Get(Topic);
        if (!await TopicLookup.ExistsAsync(client.Admin, topic, cancellationToken))
            await session.Error.WriteLineAsync($"olog: there is no topic '{topic}' yet; the broker is asked to create it with its defaults.");
        using var pump = new ProducePump(session, topic, parser, new LineReader(input));
        return await pump.RunAsync(client, OptionsOf(session), cancellationToken);
    }

    private static ProducerOptions OptionsOf(Session session)
    {
        var byDefault = new ProducerOptions();
        return byDefault with
        {
            Acks = session.Get(AckLevel) ?? byDefault.Acks,
            Compression = session.Get(Compression) ?? byDefault.Compression,
            LingerMs = session.Get(LingerMs) ?? byDefault.LingerMs,
            BatchBytes = session.Get(BatchBytes) ?? byDefault.BatchBytes,
        };
    }

    private static IRecordParser ParserOf(Session session)
    {
        var template = new RecordTemplate
        {
            Key = session.Get(Key) is { } key ? Encoding.UTF8.GetBytes(key) : null,
            Partition = session.Get(Partition),
            Headers = RecordTemplate.HeadersOf(session.Get(Header) ?? []),
            Null = FormatOptions.NullOf(session),
        };
        return session.Get(FormatOptions.Format) switch
        {
            RecordFormat.KeyValue => new KeyValueParser(template, FormatOptions.SeparatorOf(session), session.Get(KeyOptional)),
            RecordFormat.Json => new JsonParser(template),
            _ => new ValueParser(template),
        };
    }

    private static Stream Open(Session session)
    {
        if (session.Get(InputFile) is { } path) return OpenFile(path);
        if (session.Terminal.InputIsTerminal) session.Remark("one record a line; end with Ctrl-D.");
        return session.Terminal.OpenInput();
    }

    private static FileStream OpenFile(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"cannot read the file: {e.Message}");
        }
    }
}
