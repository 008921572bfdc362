using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OrleansLog.Cli.Output;
using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog restore</c>.</summary>
internal static class RestoreCommand
{
    // A store is looked through before the first word of an answer.
    private static readonly TimeSpan AnswerTimeMax = TimeSpan.FromMinutes(10);

    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Shows what would come back, and changes nothing." };

    private static readonly Option<bool> OwnerIsDead = new("--owner-is-dead")
    {
        Description = "Does not wait until the cluster that the store belonged to has given no sign of life for five minutes: it has ended for certain.",
    };

    private static readonly Option<bool> AcceptDamage = new("--accept-damage")
    {
        Description = "Goes on although something in the store is missing or altered: it cannot be read then.",
    };

    public static Command Create() => new OlogCommand(
        "restore",
        "Brings a cluster that was lost with all its disks back from its remote store alone, into a cluster that was just started with that store: "
        + "topics, configurations, every record in the store, committed offsets. Run it where one of the brokers runs. It may be run again when it was cut short.",
        "olog restore --dry-run",
        "olog restore",
        "olog restore --http http://127.0.0.1:8081 --bootstrap 127.0.0.1:9093")
    {
        DryRun, OwnerIsDead, AcceptDamage, ProcessHttp.Address,
    }.Runs(RunAsync);

    private static async Task RunAsync(Session session, CancellationToken cancellationToken)
    {
        using var http = new ProcessHttp(session, AnswerTimeMax);
        var plan = await PlanAsync(http, cancellationToken);
        if (plan.Refusal is { } refusal) throw new CommandException(refusal);
        Show(session, plan);
        if (plan.SeemsAlive is { } alive && !session.Get(OwnerIsDead))
        {
            if (!session.Get(DryRun)) throw new CommandException(alive);
            session.Out.WriteLine(alive);
        }
        if (session.Get(DryRun)) return;
        var client = await session.ConnectAsync(cancellationToken);
        await RequireSameAsync(client, plan, cancellationToken);
        await RestoreTopicsAsync(session, http, cancellationToken);
        await RestoreCommitsAsync(session, http, client, cancellationToken);
        await http.PostAsync("remote/end", cancellationToken);
        session.Out.WriteLine($"cluster '{plan.Owner}' is back as cluster '{plan.Cluster}', which the store belongs to now.");
    }

    private static async Task<RestorePlan> PlanAsync(ProcessHttp http, CancellationToken cancellationToken)
    {
        await foreach (var line in http.ReadLinesAsync(HttpMethod.Get, "remote/plan", cancellationToken))
            return Parse(line, RestoreJson.Default.RestorePlan);
        throw new CommandException("the broker did not answer; see its log.");
    }

    private static void Show(Session session, RestorePlan plan)
    {
        var table = new TextTable("TOPIC", ">PARTITION", ">FROM", ">TO", ">BYTES", "REMARK");
        foreach (var topic in plan.Topics)
        {
            foreach (var partition in topic.Partitions)
            {
                var remark = topic.IsThere ? "back already" : !topic.IsStored ? "was not in the store: empty" : partition.Damage ?? "";
                table.Add(topic.Name, $"{partition.Partition}", $"{partition.Start}", partition.End > 0 ? $"{partition.End - 1}" : "nothing", Units.Bytes(partition.Bytes), remark);
            }
        }
        table.WriteTo(session.Terminal);
        session.Out.WriteLine($"topics as of {TimeOf(plan.TopicsAtMs)}; committed offsets of {Units.Counted(plan.Groups, "group")} as of {TimeOf(plan.OffsetsAtMs)}. "
            + "What came later, and records after those above, were on the brokers alone and are lost.");
    }

    // The address of brokers of another cluster would be a nasty mistake.
    private static async Task RequireSameAsync(OrleansLogClient client, RestorePlan plan, CancellationToken cancellationToken)
    {
        var cluster = (await client.Admin.DescribeClusterAsync(cancellationToken)).ClusterId;
        if (cluster != plan.Cluster)
            throw new CommandException($"--bootstrap leads to cluster '{cluster}' and --http to cluster '{plan.Cluster}': name two addresses of the same.");
    }

    private static async Task RestoreTopicsAsync(Session session, ProcessHttp http, CancellationToken cancellationToken)
    {
        List<string> query = [];
        if (session.Get(OwnerIsDead)) query.Add("owner-is-dead");
        if (session.Get(AcceptDamage)) query.Add("accept-damage");
        List<string> notes = [];
        var done = 0;
        using (var status = new StatusLine(session.Terminal))
        {
            await foreach (var line in http.ReadLinesAsync(HttpMethod.Post, "remote/topics?" + string.Join('&', query), cancellationToken))
            {
                var step = Parse(line, RestoreJson.Default.RestoreStep);
                if (step.Failure is { } failure) throw new CommandException($"{failure.TrimEnd('.')}. Run it again to go on.");
                status.Show($"{step.Done} of {step.Of} topics: {step.Topic}");
                if (step.Note is { } note) notes.Add($"{step.Topic} has {note}");
                done = step.Done;
            }
        }
        session.Out.WriteLine($"Topics that are back: {Units.Count(done)}.");
        notes.ForEach(session.Out.WriteLine);
    }

    private static async Task RestoreCommitsAsync(Session session, ProcessHttp http, OrleansLogClient client, CancellationToken cancellationToken)
    {
        Dictionary<string, List<RestoredCommit>> groups = new(StringComparer.Ordinal);
        await foreach (var line in http.ReadLinesAsync(HttpMethod.Get, "remote/commits", cancellationToken))
        {
            var commit = Parse(line, RestoreJson.Default.RestoredCommit);
            if (commit.Failure is { } failure) throw new CommandException($"{failure.TrimEnd('.')}. Run it again to go on.");
            if (!groups.TryGetValue(commit.Group, out var commits)) groups.Add(commit.Group, commits = []);
            commits.Add(commit);
        }
        var (done, cut) = (0, 0);
        using (var status = new StatusLine(session.Terminal))
        {
            foreach (var (group, commits) in groups)
            {
                cut += await RestoreAsync(client, group, commits, cancellationToken);
                status.Show($"{++done} of {groups.Count} groups: {group}");
            }
        }
        session.Out.WriteLine($"Groups whose offsets are back: {Units.Count(done)}.");
        if (cut > 0) session.Out.WriteLine($"Offsets that were further on, in what is lost, and are now at the end of what is left: {Units.Count(cut)}.");
    }

    // What was committed since the first attempt stays.
    private static async Task<int> RestoreAsync(OrleansLogClient client, string group, List<RestoredCommit> commits, CancellationToken cancellationToken)
    {
        var present = (await client.Admin.ListGroupOffsetsAsync(group, cancellationToken: cancellationToken)).Select(each => each.Partition).ToHashSet();
        var missing = commits.Where(commit => !present.Contains(new(commit.Topic, commit.Partition))).ToList();
        await client.Admin.AlterGroupOffsetsAsync(
            group,
            [.. missing.Select(commit => new TopicPartitionOffset(new(commit.Topic, commit.Partition), new Offset(commit.Offset))
            {
                LeaderEpoch = commit.WasFurther ? LeaderEpoch.None : new(commit.LeaderEpoch),
                Metadata = commit.Metadata,
            })],
            cancellationToken);
        return missing.Count(commit => commit.WasFurther);
    }

    private static string TimeOf(long? ms) => ms is { } known ? Units.Invariant($"{DateTimeOffset.FromUnixTimeMilliseconds(known):yyyy-MM-dd HH:mm:ss}Z") : "no time";

    private static T Parse<T>(string line, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(line, type) ?? throw new CommandException("the broker answered with nothing.");
        }
        catch (JsonException e)
        {
            throw new CommandException($"what answers at --http is not a broker of this release: {e.Message}");
        }
    }
}
