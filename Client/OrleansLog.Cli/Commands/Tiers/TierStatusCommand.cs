using System.CommandLine;
using System.Text.Json;
using OrleansLog.Cli.Output;
using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog tier status</c>.</summary>
internal static class TierStatusCommand
{
    private const string Setting = "remote.storage.enable";

    private static readonly TimeSpan AnswerTimeMax = TimeSpan.FromSeconds(10);

    private static readonly Argument<string[]> Topics = new("NAME")
    {
        Description = $"The topics to show; all with {Setting} by default.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    public static Command Create() => new OlogCommand(
        "status",
        "Shows up to where partitions are in remote storage, and what only the brokers have: that would be lost with all of their disks.",
        "olog tier status",
        "olog tier status orders")
    {
        Topics, ProcessHttp.Address,
    }.Runs(RunAsync);

    private static async Task RunAsync(Session session, CancellationToken cancellationToken)
    {
        var client = await session.ConnectAsync(cancellationToken);
        var table = new TextTable("TOPIC", ">PARTITION", ">START", ">STORED TO", ">ON DISK FROM", ">END", ">NOT STORED", "SINCE");
        foreach (var topic in await ChooseAsync(session, client.Admin, cancellationToken))
            await AddAsync(table, client, await client.Admin.DescribeTopicAsync(topic, cancellationToken), cancellationToken);
        table.WriteTo(session.Terminal);
        if (table.RowCount > 0) await ShowBackupAsync(session, cancellationToken);
        if (table.RowCount == 0) session.Remark($"no topic has {Setting}=true; set it with 'olog topics create NAME --config {Setting}=true'.");
    }

    // Only the process at that address knows, and only of what its brokers coordinate.
    private static async Task ShowBackupAsync(Session session, CancellationToken cancellationToken)
    {
        using var http = new ProcessHttp(session, AnswerTimeMax);
        try
        {
            await foreach (var line in http.ReadLinesAsync(HttpMethod.Get, "remote/backup", cancellationToken))
            {
                var state = JsonSerializer.Deserialize(line, RestoreJson.Default.BackupState)!;
                session.Out.WriteLine($"in the store besides records: topics {AgeOf(state.TopicsAtMs, "by another broker")}, committed offsets {AgeOf(state.OffsetsAtMs, "none yet")}.");
                if (state.Failure is { } failure) session.Out.WriteLine($"the last attempt failed: {failure}");
            }
        }
        catch (Exception e) when (e is CommandException or JsonException)
        {
            session.Remark($"how old the committed offsets in the store are is not known: {e.Message}");
        }
    }

    private static string AgeOf(long? atMs, string otherwise) =>
        atMs is { } known ? Units.Invariant($"as of {DateTimeOffset.FromUnixTimeMilliseconds(known):yyyy-MM-dd HH:mm:ss}Z") : otherwise;

    private static async Task<IEnumerable<string>> ChooseAsync(Session session, AdminClient admin, CancellationToken cancellationToken)
    {
        if (session.Get(Topics) is { Length: > 0 } named)
        {
            await TopicLookup.RequireAsync(admin, named, cancellationToken);
            return named;
        }

        List<string> chosen = [];
        foreach (var topic in await admin.ListTopicsAsync(includeInternal: false, cancellationToken))
        {
            var configs = await admin.DescribeConfigsAsync(ConfigResource.Topic(topic.Name), includeDocumentation: false, cancellationToken);
            if (configs.Any(entry => entry is { Name: Setting, Value: "true" })) chosen.Add(topic.Name);
        }
        return chosen;
    }

    private static async Task AddAsync(TextTable table, OrleansLogClient client, TopicDescription topic, CancellationToken cancellationToken)
    {
        var partitions = TopicLookup.Choose(topic, []);
        var ranges = await OffsetRanges.OfAsync(client.Admin, partitions, cancellationToken);
        var stored = await FindAsync(OffsetSpec.LatestTiered);
        var local = await FindAsync(OffsetSpec.EarliestLocal);
        foreach (var partition in partitions)
        {
            var (start, end) = ranges.Of(partition);
            var (storedTo, onDiskFrom) = (OffsetRanges.Answered(stored[partition], partition), OffsetRanges.Answered(local[partition], partition));
            var firstNotStored = storedTo == Offset.None ? onDiskFrom : storedTo + 1L;
            table.Add(
                partition.Topic, $"{partition.Partition}", $"{start}", storedTo == Offset.None ? "nothing" : $"{storedTo}", $"{onDiskFrom}", $"{end}",
                Units.Count(Math.Max(0, end - firstNotStored)),
                firstNotStored < end ? await TimeOfAsync(client, partition, firstNotStored, cancellationToken) : "");
        }

        Task<IReadOnlyDictionary<TopicPartition, ListedOffset>> FindAsync(OffsetSpec spec) =>
            client.Admin.ListOffsetsAsync(partitions.ToDictionary(partition => partition, _ => spec), cancellationToken);
    }

    private static async Task<string> TimeOfAsync(OrleansLogClient client, TopicPartition partition, Offset offset, CancellationToken cancellationToken)
    {
        await using var consumer = client.CreateConsumer();
        consumer.Assign([new TopicPartitionOffset(partition, offset)]);
        await foreach (var batch in consumer.ConsumeBatchesAsync(cancellationToken))
            foreach (var record in batch)
                return Units.Invariant($"{DateTimeOffset.FromUnixTimeMilliseconds(record.Timestamp):yyyy-MM-dd HH:mm:ss}Z");
        return "";
    }
}
