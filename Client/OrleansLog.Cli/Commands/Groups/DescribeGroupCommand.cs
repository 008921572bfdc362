using System.CommandLine;
using OrleansLog.Cli.Output;
using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog groups describe</c>.</summary>
internal static class DescribeGroupCommand
{
    private const string Nothing = "-";

    private static readonly Argument<string> Group = new("GROUP") { Description = "The group to describe." };

    public static Command Create() => new OlogCommand(
        "describe",
        "Shows a group's members, what each reads, the committed offsets (of a share group: the start offsets), and how far behind the end they are (lag).",
        "olog groups describe kitchen")
    {
        Group,
    }.Runs(RunAsync);

    private static async Task RunAsync(Session session, CancellationToken cancellationToken)
    {
        var admin = (await session.ConnectAsync(cancellationToken)).Admin;
        var group = await GroupLookup.DescribeAsync(admin, session.Get(Group), cancellationToken);
        session.Out.WriteLine(
            $"Group {group.GroupId}: {group.State}, {group.GroupType}{EpochOf(group)}, assignor {OrNothing(group.Assignor)}, coordinator {group.Coordinator}, "
            + $"{Units.Counted(group.Members.Count, "member")}");
        var offsets = group.GroupType == GroupLookup.Share ? await StartsAsync(admin, group, cancellationToken) : await OffsetsAsync(admin, group, cancellationToken);
        if (offsets.RowCount > 0) offsets.WriteTo(session.Terminal);
        else session.Out.WriteLine("It has committed nothing.");
        if (group.Members.Count > 0) Members(group).WriteTo(session.Terminal);
    }

    private static async Task<TextTable> OffsetsAsync(AdminClient admin, GroupDescription group, CancellationToken cancellationToken)
    {
        var committed = (await admin.ListGroupOffsetsAsync(group.GroupId, null, cancellationToken)).ToDictionary(c => c.Partition, c => c.Offset);
        var readers = group.Members.SelectMany(m => m.Assignment.Select(p => (Partition: p, Member: m))).ToLookup(r => r.Partition, r => r.Member);
        var partitions = committed.Keys.Union(readers.Select(r => r.Key)).OrderBy(p => p.Topic, StringComparer.Ordinal).ThenBy(p => p.Partition).ToArray();
        var ends = await admin.ListOffsetsAsync(partitions.ToDictionary(p => p, _ => OffsetSpec.Latest), cancellationToken);
        var table = new TextTable("TOPIC", ">PARTITION", ">COMMITTED", ">END", ">LAG", "MEMBER");
        foreach (var partition in partitions)
        {
            Offset? commit = committed.TryGetValue(partition, out var offset) ? offset : null;
            Offset? end = ends.TryGetValue(partition, out var listed) && listed.Error == ErrorCode.None ? listed.Offset : null;
            table.Add(
                partition.Topic, $"{partition.Partition}", Text(commit), Text(end), LagOf(commit, end),
                readers[partition].FirstOrDefault()?.MemberId ?? Nothing);
        }
        return table;
    }

    private static async Task<TextTable> StartsAsync(AdminClient admin, GroupDescription group, CancellationToken cancellationToken)
    {
        var table = new TextTable("TOPIC", ">PARTITION", ">START", ">LAG", "MEMBERS");
        foreach (var offset in await admin.ListShareGroupOffsetsAsync(group.GroupId, cancellationToken))
        {
            var readers = group.Members.Count(member => member.Assignment.Contains(offset.Partition));
            table.Add(
                offset.Partition.Topic, $"{offset.Partition.Partition}", Text(offset.Start), offset.Lag is { } lag ? Units.Invariant($"{lag}") : Nothing,
                Units.Invariant($"{readers}"));
        }
        return table;
    }

    private static TextTable Members(GroupDescription group)
    {
        var table = new TextTable("MEMBER", "INSTANCE", "CLIENT", "HOST", "READS", "IS TO READ");
        foreach (var member in group.Members)
        {
            var isThere = member.Target.ToHashSet().SetEquals(member.Assignment);
            table.Add(
                member.MemberId, OrNothing(member.GroupInstanceId), member.ClientId, member.ClientHost,
                OrNothing(string.Join(' ', member.Assignment)), isThere ? "the same" : OrNothing(string.Join(' ', member.Target)));
        }
        return table;
    }

    private static string EpochOf(GroupDescription group) => group.Epoch == 0 ? "" : Units.Invariant($", epoch {group.Epoch}");

    private static string LagOf(Offset? committed, Offset? end) =>
        committed is { } from && end is { } to ? Units.Invariant($"{Math.Max(0, to - from)}") : Nothing;

    private static string Text(Offset? offset) => offset?.ToString() ?? Nothing;

    private static string OrNothing(string? text) => string.IsNullOrEmpty(text) ? Nothing : text;
}
