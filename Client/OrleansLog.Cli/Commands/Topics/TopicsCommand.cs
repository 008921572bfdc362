using System.CommandLine;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog topics</c>.</summary>
internal static class TopicsCommand
{
    public static Command Create() => new OlogCommand(
        "topics",
        "Creates, lists, describes, alters, deletes and moves topics.",
        "olog topics create orders --partitions 3",
        "olog topics list",
        "olog topics describe orders")
    {
        CreateTopicCommand.Create(),
        ListTopicsCommand.Create(),
        DescribeTopicsCommand.Create(),
        AlterTopicCommand.Create(),
        DeleteTopicsCommand.Create(),
        ElectLeadersCommand.Create(),
        ReassignTopicCommand.Create(),
        ReassignmentsCommand.Create(),
        IncreaseReplicationCommand.Create(),
    };
}
