using OrleansLog.Coordination;
using OrleansLog.Coordination.ConsumerGroups;
using OrleansLog.Coordination.Groups;
using OrleansLog.Coordination.Records;
using OrleansLog.Coordination.Runtime;

namespace OrleansLog.UnitTests.Coordination;

/// <summary>The records of consumer groups are Kafka's (KIP-848), byte for byte. Written out by hand from its schemas.</summary>
public sealed class ConsumerGroupRecordTests
{
    private const string Shop = "000473686f70";
    private const string Member = "00016d";
    private const string Topic = "00112233445566778899aabbccddeeff";
    private const string Orders = "076f7264657273";

    private static readonly Guid TopicId = new("00112233-4455-6677-8899-aabbccddeeff");

    private static readonly MemberSubscription Subscription = new()
    {
        InstanceId = "i",
        ClientId = "app",
        ClientHost = "/h",
        Topics = ConsumerGroupState.NoNames.Add("orders"),
        RebalanceTimeoutMs = 9,
        Assignor = "range",
    };

    private static readonly MemberSubscription OfClassic = Subscription with
    {
        Classic = new ClassicTraits(8, [new MemberProtocol("range", GroupScript.Bytes("s"))]),
    };

    [Fact]
    public void Epochs() => Check(new GroupEpochRecord("shop", 5), "0003" + Shop, "0000" + "00000005" + "00");

    [Fact]
    public void Epochs_of_targets() => Check(new TargetEpochRecord("shop", 5), "0006" + Shop, "0000" + "00000005" + "00");

    [Fact]
    public void Topics() => Check(
        new GroupTopicsRecord("shop", ConsumerGroupState.None.Topics.Add("orders", new SubscribedTopic(TopicId, 4))),
        "0004" + Shop,
        "0000" + "02" + Topic + Orders + "00000004" + "01" + "00" + "00");

    [Fact]
    public void Subscriptions() => Check(
        new MemberSubscriptionRecord("shop", "m", Subscription),
        "0005" + Shop + Member,
        "0000" + "0269" + "00" + "04617070" + "032f68" + "02" + Orders + "00" + "00000009" + "0672616e6765" + "00");

    [Fact]
    public void Subscriptions_of_classic_members() => Check(
        new MemberSubscriptionRecord("shop", "m", OfClassic),
        "0005" + Shop + Member,
        "0000" + "0269" + "00" + "04617070" + "032f68" + "02" + Orders + "00" + "00000009" + "0672616e6765"
        + "01" + "00" + "10" + "01" + "00000008" + "02" + "0672616e6765" + "0273" + "00" + "00");

    [Fact]
    public void Targets() => Check(
        new TargetRecord("shop", "m", [new(TopicId, 1), new(TopicId, 0)]),
        "0007" + Shop + Member,
        "0000" + "02" + Topic + "03" + "00000000" + "00000001" + "00" + "00");

    [Fact]
    public void Assignments() => Check(
        new MemberAssignmentRecord("shop", "m", new MemberAssignment
        {
            Epoch = 2,
            PreviousEpoch = 1,
            State = MemberState.Unrevoked,
            Assigned = [new(TopicId, 0)],
            PendingRevocation = [new(TopicId, 1)],
        }),
        "0008" + Shop + Member,
        "0000" + "00000002" + "00000001" + "01"
        + "02" + Topic + "02" + "00000000" + "00" + "02" + Topic + "02" + "00000001" + "00" + "00");

    [Fact]
    public void Expressions() => Check(
        new PatternRecord("shop", "o.*", ConsumerGroupState.NoNames.Add("orders"), 9),
        "0010" + Shop + "00036f2e2a",
        "0000" + "02" + Orders + "0000000000000000" + "0000000000000009" + "00");

    [Fact]
    public void Tombstones_take_back_what_the_record_brought()
    {
        (ConsumerGroupRecord Record, ConsumerGroupRecord Tombstone)[] pairs =
        [
            (new GroupEpochRecord("g", 1), new GroupEpochRecord("g", null)),
            (new TargetEpochRecord("g", 1), new TargetEpochRecord("g", null)),
            (new GroupTopicsRecord("g", ConsumerGroupState.None.Topics.Add("t", default)), new GroupTopicsRecord("g", null)),
            (new MemberSubscriptionRecord("g", "m", OfClassic), new MemberSubscriptionRecord("g", "m", null)),
            (new TargetRecord("g", "m", []), new TargetRecord("g", "m", null)),
            (new PatternRecord("g", "p", ConsumerGroupState.NoNames, 0), new PatternRecord("g", "p", null, 0)),
        ];
        foreach (var (record, tombstone) in pairs)
        {
            Assert.False(record.Apply(ConsumerGroupState.None).IsNone);
            var read = (ConsumerGroupRecord)GroupRecordReader.Read(tombstone.Encode())!;
            Assert.True(read.IsTombstone);
            Assert.True(read.Apply(record.Apply(ConsumerGroupState.None)).IsNone);
        }
    }

    [Theory]
    [InlineData("0003" + Shop, "0001" + "00000005" + "00")]
    [InlineData("0011" + Shop, "0000")]
    public void Later_kinds_and_versions_are_passed_over(string key, string value) =>
        Assert.Null(GroupRecordReader.Read(new CoordinatorRecord(Convert.FromHexString(key), Convert.FromHexString(value))));

    [Fact]
    public void What_a_later_release_tags_on_is_passed_over()
    {
        // Kafka 4.1 writes a hash of the topics behind the epoch.
        var record = new CoordinatorRecord(Convert.FromHexString("0003" + Shop), Convert.FromHexString("0000" + "00000005" + "01" + "00" + "08" + "0000000000000007"));
        Assert.Equal(5, ((ConsumerGroupRecord)GroupRecordReader.Read(record)!).Apply(ConsumerGroupState.None).Epoch);
    }

    [Fact]
    public async Task A_group_that_has_been_empty_for_the_retention_is_forgotten_with_its_offsets()
    {
        var script = await GroupScript.StartAsync();
        script.Topics.Create("orders", 1);
        var member = new ScriptedConsumer(script, "a", "orders");
        await member.Join();
        await script.Commit(3, "a", member.Epoch);
        script.Clock.AdvanceMs(script.Options.ConsumerSessionTimeoutMs);
        Assert.Equal("orders-0=3", await script.Offsets());
        script.Clock.AdvanceMs(script.Options.OffsetsRetentionMs - script.Options.ConsumerSessionTimeoutMs - script.Options.OffsetsRetentionCheckIntervalMs);
        Assert.Equal("orders-0=3", await script.Offsets());
        script.Clock.AdvanceMs(2L * script.Options.OffsetsRetentionCheckIntervalMs);
        Assert.Equal("", await script.Offsets());
        Assert.Empty((await script.Coordinator.ListGroupsAsync(GroupScript.Context(5), new())).Groups);
        Assert.All(script.Partition.Records.TakeLast(4), record => Assert.Null(record.Value));
    }

    private static void Check(StateRecord record, string key, string value)
    {
        var encoded = record.Encode();
        Assert.Equal((key, value), (Hex(encoded.Key), Hex(encoded.Value!.Value)));
        var again = GroupRecordReader.Read(encoded)!.Encode();
        Assert.Equal((key, value), (Hex(again.Key), Hex(again.Value!.Value)));
    }

    private static string Hex(ReadOnlyMemory<byte> bytes) => Convert.ToHexStringLower(bytes.Span);
}
