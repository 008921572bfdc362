using OrleansLog.Coordination;
using OrleansLog.Coordination.Records;
using OrleansLog.Protocol;
using static OrleansLog.UnitTests.Coordination.GroupScript;

namespace OrleansLog.UnitTests.Coordination;

/// <summary>The bytes in the offsets topic are Kafka's, so that its tools read them. Written out by hand from its schemas.</summary>
public sealed class GroupRecordTests
{
    private static readonly TopicPartition Orders2 = new("orders", 2);

    private const string OffsetKey = "0001" + "000473686f70" + "00066f7264657273" + "00000002";

    private const string GroupKey = "0002" + "000473686f70";

    [Fact]
    public void A_committed_offset_is_written_as_Kafka_writes_it()
    {
        var record = new OffsetCommitRecord("shop", Orders2, new CommittedOffset(new Offset(258), new LeaderEpoch(7), "hi", 1, null)).Encode();
        Assert.Equal(OffsetKey, Hex(record.Key));
        Assert.Equal("0003" + "0000000000000102" + "00000007" + "00026869" + "0000000000000001", Hex(record.Value!.Value));
    }

    [Fact]
    public void An_offset_with_an_expiry_of_its_own_is_written_in_the_version_that_has_one()
    {
        var record = new OffsetCommitRecord("shop", Orders2, new CommittedOffset(new Offset(258), LeaderEpoch.None, "", 1, 2)).Encode();
        Assert.Equal("0001" + "0000000000000102" + "0000" + "0000000000000001" + "0000000000000002", Hex(record.Value!.Value));
    }

    [Fact]
    public void A_generation_is_written_as_Kafka_writes_it()
    {
        var record = new GroupMetadataRecord("shop", new GroupMetadataValue
        {
            ProtocolType = "consumer",
            Generation = 3,
            Protocol = "range",
            Leader = "m",
            CurrentStateTimestamp = 5,
            Members = [new() { MemberId = "m", ClientId = "app", ClientHost = "/h", RebalanceTimeout = 9, SessionTimeout = 8, Subscription = Bytes("s"), Assignment = Bytes("aa") }],
        }).Encode();
        Assert.Equal(GroupKey, Hex(record.Key));
        Assert.Equal(
            "0003" + "0008636f6e73756d6572" + "00000003" + "000572616e6765" + "00016d" + "0000000000000005" + "00000001"
            + "00016d" + "ffff" + "0003617070" + "00022f68" + "00000009" + "00000008" + "0000000173" + "000000026161",
            Hex(record.Value!.Value));
    }

    [Fact]
    public void Tombstones_have_no_value_rather_than_an_empty_one()
    {
        Assert.Null(new OffsetCommitRecord("shop", Orders2, null).Encode().Value);
        Assert.Null(new GroupMetadataRecord("shop", null).Encode().Value);
        Assert.Null(new CoordinatorRecord(Bytes("key"), ReadOnlyMemory<byte>.Empty).Value);
    }

    [Theory]
    [InlineData("0000" + "0000000000000102" + "0000" + "0000000000000001", -1, -1)]
    [InlineData("0001" + "0000000000000102" + "0000" + "0000000000000001" + "0000000000000002", -1, 2)]
    [InlineData("0002" + "0000000000000102" + "0000" + "0000000000000001", -1, -1)]
    [InlineData("0003" + "0000000000000102" + "00000007" + "0000" + "0000000000000001", 7, -1)]
    [InlineData("0004" + "0000000000000102" + "00000007" + "01" + "0000000000000001" + "00", 7, -1)]
    public void Every_version_of_a_committed_offset_is_read(string value, int epoch, long expiry)
    {
        var read = Assert.IsType<OffsetCommitRecord>(GroupRecordReader.Read(Record(OffsetKey, value)));
        Assert.Equal(("shop", Orders2), (read.Group, read.Partition));
        Assert.Equal(new CommittedOffset(new Offset(258), new LeaderEpoch(epoch), "", 1, expiry < 0 ? null : expiry), read.Offset);
    }

    [Theory]
    [InlineData("0000" + "0001" + "63" + "00000003" + "0001" + "72" + "0001" + "6d" + "00000001" + "00016d" + "0000" + "0000" + "00000008" + "00000000" + "0000000161", -1)]
    [InlineData("0001" + "0001" + "63" + "00000003" + "0001" + "72" + "0001" + "6d" + "00000001" + "00016d" + "0000" + "0000" + "00000009" + "00000008" + "00000000" + "0000000161", 9)]
    [InlineData("0004" + "0263" + "00000003" + "0272" + "026d" + "0000000000000005" + "02" + "026d" + "00" + "01" + "01" + "00000009" + "00000008" + "01" + "0261" + "00" + "00", 9)]
    public void Older_and_newer_versions_of_a_generation_are_read(string value, int rebalanceTimeout)
    {
        var read = Assert.IsType<GroupMetadataRecord>(GroupRecordReader.Read(Record(GroupKey, value)));
        Assert.Equal(("c", 3, "r", "m"), (read.Value!.ProtocolType, read.Value.Generation, read.Value.Protocol, read.Value.Leader));
        var member = Assert.Single(read.Value.Members);
        Assert.Equal((rebalanceTimeout, 8, "a"), (member.RebalanceTimeout, member.SessionTimeout, Text(member.Assignment)));
    }

    private static CoordinatorRecord Record(string key, string value) => new(Convert.FromHexString(key), Convert.FromHexString(value));

    private static string Hex(ReadOnlyMemory<byte> bytes) => Convert.ToHexStringLower(bytes.Span);
}
