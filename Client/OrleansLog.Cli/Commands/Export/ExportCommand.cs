using System.CommandLine;
using OrleansLog.Cli.Output;
using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog export</c>.</summary>
internal static class ExportCommand
{
    private const long FileBytes = 256_000_000;

    private static readonly Argument<string> Topic = new("TOPIC") { Description = "The topic to export." };

    private static readonly Option<DirectoryInfo> To = new("--to")
    {
        Description = "The directory for the files; made where it is missing.",
        HelpName = "DIR",
        Required = true,
    };

    private static readonly Option<ExportFormat?> Format = CommonOptions.OneOf("--format", "One record a line, as JSON.", ("jsonl", ExportFormat.JsonLines));

    private static readonly Option<int[]> Partitions = CommonOptions.Ints("--partition", "Export only these partitions: repeat it, or 0,1,2.");

    private static readonly Option<string?> From = new("--from")
    {
        Description = "Begin there: a number, earliest, or a time such as 2025-06-01T12:00:00Z; local time without Z.",
        HelpName = "OFFSET|TIME",
    };

    private static readonly Option<string?> Until = new("--until")
    {
        Description = "End before there: a number, latest, or a time.",
        HelpName = "OFFSET|TIME",
    };

    private static readonly Option<bool> StoredOnly = new("--stored-only")
    {
        Description = "Only what is in remote storage already: sealed segments, which do not change any more.",
    };

    private static readonly Option<long?> FileSize = CommonOptions.Long("--file-bytes", "Begin another file when one has so many bytes (default 256000000).", 1);

    public static Command Create() => new OlogCommand(
        "export",
        "Writes the records of a topic to files, one record a line as JSON: DIR/TOPIC/PARTITION/FIRST-LAST.jsonl, with the first and the last offset.\n"
        + "Ends where the topic ended when the command started. Run again it goes on after the last file; only committed records are exported.",
        "olog export orders --to ./orders-export",
        "olog export orders --to ./june --from 2025-06-01T00:00:00Z --until 2025-07-01T00:00:00Z",
        "olog export orders --to ./orders-export --partition 0 --stored-only")
    {
        Topic, To, Format, Partitions, From, Until, StoredOnly, FileSize,
    }.Runs(RunAsync);

    private static async Task RunAsync(Session session, CancellationToken cancellationToken)
    {
        if (session.Get(StoredOnly) && session.Has(Until)) throw new CommandException($"{StoredOnly.Name} and {Until.Name} exclude each other.", ExitCode.Usage);
        var from = session.Get(From) is { } first ? StartPosition.Parse(From.Name, first) : StartPosition.Earliest;
        var until = session.Get(Until) is { } last ? StartPosition.Parse(Until.Name, last) : StartPosition.Latest;
        var client = await session.ConnectAsync(cancellationToken);
        var topic = await TopicLookup.DescribeAsync(client.Admin, session.Get(Topic), cancellationToken);
        var partitions = TopicLookup.Choose(topic, session.Get(Partitions) ?? []);
        var ranges = await OffsetRanges.OfAsync(client.Admin, partitions, cancellationToken, IsolationLevel.ReadCommitted);
        var starts = await from.ResolveAsync(client.Admin, partitions, ranges, cancellationToken);
        var ends = session.Get(StoredOnly)
            ? await StoredEndsAsync(client.Admin, partitions, cancellationToken)
            : await until.ResolveAsync(client.Admin, partitions, ranges, cancellationToken);
        using var progress = new Progress(session.Terminal);
        var files = 0;
        foreach (var partition in partitions)
        {
            var target = new ExportFiles(Path.Combine(session.Get(To).FullName, partition.Topic, $"{partition.Partition}"), session.Get(FileSize) ?? FileBytes);
            files += await ExportAsync(client, partition, starts[partition], ends[partition], target, progress, cancellationToken);
        }
        progress.Dispose();
        session.Out.WriteLine($"exported {Units.Throughput(progress.Records, progress.Bytes, progress.Elapsed)}, {Units.Counted(files, "file")} in {session.Get(To)}.");
    }

    private static async Task<Dictionary<TopicPartition, Offset>> StoredEndsAsync(
        AdminClient admin, IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken)
    {
        var found = await admin.ListOffsetsAsync(partitions.ToDictionary(partition => partition, _ => OffsetSpec.LatestTiered), cancellationToken);
        return partitions.ToDictionary(partition => partition, partition => OffsetRanges.Answered(found[partition], partition) + 1L);
    }

    private static async Task<int> ExportAsync(
        OrleansLogClient client, TopicPartition partition, Offset from, Offset until, ExportFiles files, Progress progress, CancellationToken cancellationToken)
    {
        from = files.Resume(from);
        if (from >= until) return 0;
        await using var consumer = client.CreateConsumer(new ConsumerOptions
        {
            IsolationLevel = IsolationLevel.ReadCommitted,
            Commit = CommitMode.Manual,
            OffsetReset = OffsetReset.Earliest,
        });
        consumer.Assign([new TopicPartitionOffset(partition, from)]);
        using (files)
        {
            await foreach (var batch in consumer.ConsumeBatchesAsync(cancellationToken))
            {
                files.Write(batch, until, progress);
                if (batch.NextOffset >= until) break;
            }
            return files.End(until);
        }
    }
}

/// <summary>How records are exported.</summary>
internal enum ExportFormat
{
    /// <summary>A JSON object a line.</summary>
    JsonLines,
}
