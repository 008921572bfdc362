using System.Globalization;
using OrleansLog.InteropTests.Support;

namespace OrleansLog.InteropTests;

/// <summary>
/// Groups of other clients: members join, leave, crash and come back; at rest every partition has one reader.
/// </summary>
public sealed class GroupConformance
{
    private const string Topic = "shared";
    private const int Partitions = 6;
    private static readonly string[] Quick = ["session.timeout.ms=6000", "heartbeat.interval.ms=500"];

    [Theory]
    [InlineData("range")]
    [InlineData("roundrobin")]
    [InlineData("cooperative-sticky")]
    public async Task Members_of_librdkafka_join_leave_and_crash(string assignor)
    {
        Tool.NeedPython("confluent_kafka", "python3-confluent-kafka");
        await using var broker = await StartAsync();
        await JoinLeaveAndCrashAsync(() => GroupMember.Librdkafka(broker.Bootstrap, Topic, "g", [.. Quick, $"partition.assignment.strategy={assignor}"]));
    }

    [Fact]
    public async Task Members_of_kafka_python_join_leave_and_crash()
    {
        Tool.NeedPython("kafka", "python3-kafka");
        await using var broker = await StartAsync();
        await JoinLeaveAndCrashAsync(() => GroupMember.KafkaPython(broker.Bootstrap, Topic, "g"));
    }

    [Fact]
    public async Task Members_of_kafkajs_join_leave_and_crash()
    {
        var modules = await KafkaJs.NeedAsync();
        await using var broker = await StartAsync();
        await JoinLeaveAndCrashAsync(() => GroupMember.Kafkajs(modules, broker.Bootstrap, Topic, "g"));
    }

    [Fact]
    public async Task Members_of_the_consumer_protocol_join_leave_and_crash()
    {
        NeedConsumerProtocol();
        await using var broker = await StartAsync();
        await JoinLeaveAndCrashAsync(() => Modern(broker, "g"));
    }

    [Fact]
    public async Task A_group_of_librdkafka_moves_to_the_consumer_protocol_and_back()
    {
        NeedConsumerProtocol();
        await using var broker = await StartAsync();
        await using var old = GroupMember.Librdkafka(broker.Bootstrap, Topic, "g", [.. Quick, "partition.assignment.strategy=cooperative-sticky"]);
        await GroupMember.ShareAsync(Partitions, old);
        await using (var modern = Modern(broker, "g"))
        {
            await GroupMember.ShareAsync(Partitions, old, modern);
            await modern.LeaveAsync();
        }
        await GroupMember.ShareAsync(Partitions, old);
        await old.LeaveAsync();
    }

    [Fact]
    public async Task A_cooperative_member_gives_up_only_what_moves()
    {
        Tool.NeedPython("confluent_kafka", "python3-confluent-kafka");
        await using var broker = await StartAsync();
        string[] settings = [.. Quick, "partition.assignment.strategy=cooperative-sticky"];
        await using var first = GroupMember.Librdkafka(broker.Bootstrap, Topic, "g", settings);
        await GroupMember.ShareAsync(Partitions, first);
        await using var second = GroupMember.Librdkafka(broker.Bootstrap, Topic, "g", settings);
        await GroupMember.ShareAsync(Partitions, first, second);
        Assert.Equal(Partitions / 2, first.Revoked.Count);
        Assert.Equal(second.Owned.Order(StringComparer.Ordinal), first.Revoked.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_static_member_comes_back_to_its_partitions_and_nobody_else_notices()
    {
        Tool.NeedPython("confluent_kafka", "python3-confluent-kafka");
        await using var broker = await StartAsync();
        string[] settings = ["session.timeout.ms=60000", "heartbeat.interval.ms=500", "partition.assignment.strategy=range"];
        await using var other = GroupMember.Librdkafka(broker.Bootstrap, Topic, "g", settings);
        IReadOnlyCollection<string> before;
        int changes;
        await using (var till = GroupMember.Librdkafka(broker.Bootstrap, Topic, "g", [.. settings, "group.instance.id=till"]))
        {
            await GroupMember.ShareAsync(Partitions, other, till);
            (before, changes) = (till.Owned, other.Changes);
            await till.CrashAsync();
        }
        await using var again = GroupMember.Librdkafka(broker.Bootstrap, Topic, "g", [.. settings, "group.instance.id=till"]);
        await GroupMember.ShareAsync(Partitions, other, again);
        Assert.Equal(before, again.Owned);
        Assert.Equal(changes, other.Changes);
    }

    [Fact]
    public async Task A_group_that_was_reset_reads_everything_again()
    {
        Tool.NeedPython("confluent_kafka", "python3-confluent-kafka");
        using var text = new TextFile();
        await using var broker = await StartAsync();
        await Tool.RunPythonAsync("confluent_client.py", "produce_lines", broker.Bootstrap, Topic, text.Path, "none");
        var once = await Tool.RunPythonAsync("confluent_client.py", "group_round", broker.Bootstrap, Topic, "readers", text.Count);
        await Tool.RunOlogAsync(["groups", "reset-offsets", "readers", "--topic", Topic, "--to-earliest", "--execute", "--bootstrap", broker.Bootstrap]);
        var again = await Tool.RunPythonAsync("confluent_client.py", "group_round", broker.Bootstrap, Topic, "readers", text.Count);
        Assert.Equal(once, again);
    }

    [Fact]
    public async Task A_hundred_members_share_a_hundred_partitions_and_half_of_them_take_over()
    {
        Tool.NeedPython("confluent_kafka", "python3-confluent-kafka");
        await using var broker = await BrokerProcess.StartAsync("--config", "num.partitions=100", "--config", "offsets.topic.num.partitions=1");
        await Tool.RunOlogAsync(["topics", "create", Topic, "--partitions", "100", "--bootstrap", broker.Bootstrap]);
        await Tool.RunPythonAsync("many_confluent.py", broker.Bootstrap, Topic, "crowd", "100");
    }

    private static async Task JoinLeaveAndCrashAsync(Func<GroupMember> join)
    {
        await using var first = join();
        await GroupMember.ShareAsync(Partitions, first);
        await using var second = join();
        await using var third = join();
        await GroupMember.ShareAsync(Partitions, first, second, third);
        await second.LeaveAsync();
        await GroupMember.ShareAsync(Partitions, first, third);
        await third.CrashAsync();
        await GroupMember.ShareAsync(Partitions, first);
        await first.LeaveAsync();
    }

    private static async Task<BrokerProcess> StartAsync()
    {
        var broker = await BrokerProcess.StartAsync(
            "--config", "group.consumer.session.timeout.ms=6000", "--config", "group.consumer.heartbeat.interval.ms=500");
        await Tool.RunOlogAsync(["topics", "create", Topic, "--partitions", $"{Partitions}", "--bootstrap", broker.Bootstrap]);
        return broker;
    }

    private static GroupMember Modern(BrokerProcess broker, string group) => GroupMember.Librdkafka(broker.Bootstrap, Topic, group, "group.protocol=consumer");

    private static void NeedConsumerProtocol()
    {
        Tool.NeedPython("confluent_kafka", "python3-confluent-kafka");
        var version = Tool.RunAsync(Tool.SystemPython, [Tool.Script("member_confluent.py"), "version"]).GetAwaiter().GetResult().Trim();
        var isNew = Version.TryParse(version, out var parsed) && parsed >= new Version(2, 4);
        Tool.Need(isNew, string.Create(CultureInfo.InvariantCulture, $"librdkafka {version} does not know the consumer protocol (KIP-848), which came with 2.4"));
    }
}
