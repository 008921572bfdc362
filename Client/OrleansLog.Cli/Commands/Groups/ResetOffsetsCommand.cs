using System.CommandLine;
using OrleansLog.Cli.Output;
using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog groups reset-offsets</c>.</summary>
internal static class ResetOffsetsCommand
{
    private static readonly Argument<string> Group = new("GROUP") { Description = "The group to move; it must have no members meanwhile." };

    private static readonly Option<string[]> Topic = new("--topic")
    {
        Description = "The topic in which to move it; may be repeated.",
        HelpName = "NAME",
        Required = true,
    };

    private static readonly Option<int[]> Partitions = CommonOptions.Ints("--partition", "Only these partitions: repeat it, or 0,1,2.");

    private static readonly Option<string?> To = new("--to")
    {
        Description = "Where to: an end, an offset (-5: five before the end) or a time such as 2025-06-01T12:00:00Z.",
        HelpName = "earliest|latest|OFFSET|TIME",
    };

    private static readonly Option<bool> ToEarliest = new("--to-earliest") { Description = "To the oldest record; as --to earliest." };

    private static readonly Option<bool> ToLatest = new("--to-latest") { Description = "To the end; as --to latest." };

    private static readonly Option<long?> ToOffset = CommonOptions.Long("--to-offset", "To this offset; as --to OFFSET.", long.MinValue);

    private static readonly Option<string?> ToDatetime = new("--to-datetime")
    {
        Description = "To the first record at or after a time; as --to TIME.",
        HelpName = "TIME",
    };

    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Only show what would be done, which is what happens without --execute." };

    private static readonly Option<long?> ShiftBy = CommonOptions.Long(
        "--shift-by", "Move from the committed offset by so many records; below 0 is back.", long.MinValue);

    private static readonly Option<bool> Execute = new("--execute") { Description = "Do it; without this the command only shows what it would do." };

    public static Command Create() => new OlogCommand(
        "reset-offsets",
        "Moves a group to other offsets, where it goes on when its members come back; a share group to other start offsets.",
        "olog groups reset-offsets kitchen --topic orders --to earliest",
        "olog groups reset-offsets kitchen --topic orders --to 2025-06-01T12:00:00Z --execute",
        "olog groups reset-offsets kitchen --topic orders --shift-by -100 --execute",
        "olog groups reset-offsets kitchen --topic orders --to-datetime 2025-06-01T12:00:00Z --dry-run")
    {
        Group, Topic, Partitions, To, ToEarliest, ToLatest, ToOffset, ToDatetime, ShiftBy, DryRun, Execute,
    }.Runs(RunAsync);

    private static async Task RunAsync(Session session, CancellationToken cancellationToken)
    {
        var target = TargetOf(session);
        var groupId = session.Get(Group);
        var admin = (await session.ConnectAsync(cancellationToken)).Admin;
        var group = await GroupLookup.TryDescribeAsync(admin, groupId, cancellationToken);
        var (state, isShare) = (group?.State ?? "Empty", group?.GroupType == GroupLookup.Share);
        if (state != "Empty")
            throw new CommandException($"group '{groupId}' has members (state {state}); stop them first, since they would overwrite the new offsets.");
        var plan = new List<(TopicPartition Partition, Offset? From, Offset To)>();
        foreach (var topic in session.Get(Topic)) plan.AddRange(await PlanAsync(session, admin, topic, target, isShare, cancellationToken));
        var table = new TextTable("TOPIC", ">PARTITION", ">FROM", ">TO");
        foreach (var (partition, from, to) in plan) table.Add(partition.Topic, $"{partition.Partition}", from?.ToString() ?? "-", $"{to}");
        if (session.Get(Execute))
            await AlterAsync(admin, groupId, isShare, [.. plan.Select(p => new TopicPartitionOffset(p.Partition, p.To))], cancellationToken);
        table.WriteTo(session.Terminal);
        if (!session.Get(Execute)) await session.Error.WriteLineAsync("olog: nothing is changed yet; add --execute to do it.");
    }

    private static async Task AlterAsync(AdminClient admin, string groupId, bool isShare, List<TopicPartitionOffset> offsets, CancellationToken cancellationToken)
    {
        if (!isShare)
        {
            await admin.AlterGroupOffsetsAsync(groupId, offsets, cancellationToken);
            return;
        }
        var failed = (await admin.AlterShareGroupOffsetsAsync(groupId, offsets, cancellationToken)).Where(result => result.Error != ErrorCode.None).ToList();
        if (failed.Count > 0)
            throw new CommandException($"could not move share group '{groupId}' in {string.Join(", ", failed.Select(result => $"{result.Name} ({result.Message ?? result.Error.ToString()})"))}.");
    }

    private static async Task<Dictionary<TopicPartition, Offset>> CommittedAsync(
        AdminClient admin, string groupId, bool isShare, TopicPartition[] partitions, CancellationToken cancellationToken) => isShare
        ? (await admin.ListShareGroupOffsetsAsync(groupId, cancellationToken)).Where(each => each.Start is not null).ToDictionary(each => each.Partition, each => each.Start!.Value)
        : (await admin.ListGroupOffsetsAsync(groupId, partitions, cancellationToken)).ToDictionary(c => c.Partition, c => c.Offset);

    private static StartPosition? TargetOf(Session session)
    {
        Option[] ways = [To, ToEarliest, ToLatest, ToOffset, ToDatetime, ShiftBy];
        if (ways.Count(session.Has) != 1)
            throw new CommandException("say where to: either --to or --shift-by, or one of --to-earliest, --to-latest, --to-offset and --to-datetime.", ExitCode.Usage);
        if (session.Get(DryRun) && session.Get(Execute)) throw new CommandException("--dry-run and --execute exclude each other.", ExitCode.Usage);
        if (session.Get(ToEarliest)) return StartPosition.Earliest;
        if (session.Get(ToLatest)) return StartPosition.Latest;
        if (session.Get(ToOffset) is { } offset) return new StartPosition(null, offset);
        if (session.Get(ToDatetime) is { } time) return StartPosition.ParseTime(ToDatetime.Name, time);
        return session.Get(To) is { } to ? StartPosition.Parse(To.Name, to) : null;
    }

    private static async Task<IEnumerable<(TopicPartition, Offset?, Offset)>> PlanAsync(
        Session session, AdminClient admin, string topic, StartPosition? target, bool isShare, CancellationToken cancellationToken)
    {
        var description = await TopicLookup.DescribeAsync(admin, topic, cancellationToken);
        var partitions = TopicLookup.Choose(description, session.Get(Partitions) ?? []);
        var ranges = await OffsetRanges.OfAsync(admin, partitions, cancellationToken);
        var committed = await CommittedAsync(admin, session.Get(Group), isShare, [.. partitions], cancellationToken);
        var targets = target is null
            ? partitions.ToDictionary(p => p, p => Shifted(committed, p, session.Get(ShiftBy) ?? 0, ranges.Of(p)))
            : await target.ResolveAsync(admin, partitions, ranges, cancellationToken);
        return partitions.Select(p => (p, committed.TryGetValue(p, out var from) ? from : (Offset?)null, targets[p]));
    }

    /// <summary>Counts from the committed offset, or from the start where nothing is committed; stays within what is there.</summary>
    private static Offset Shifted(Dictionary<TopicPartition, Offset> committed, TopicPartition partition, long shift, (Offset Start, Offset End) range)
    {
        var from = committed.TryGetValue(partition, out var offset) ? offset : range.Start;
        var distance = Math.Clamp(shift, range.Start - from, range.End - from);
        return from + distance;
    }
}
