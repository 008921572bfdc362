using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.UnitTests.Protocol.Wire;

/// <summary>Bytes put together by hand from the published layouts: few clients elect leaders or forget brokers.</summary>
public sealed class ElectLeadersLayoutTests
{
    [Theory]
    [InlineData(0, "00000001" + "00066f7264657273" + "00000002" + "00000000" + "00000003" + "0000ea60")]
    [InlineData(1, "01" + "00000001" + "00066f7264657273" + "00000002" + "00000000" + "00000003" + "0000ea60")]
    [InlineData(2, "01" + "02" + "076f7264657273" + "03" + "00000000" + "00000003" + "00" + "0000ea60" + "00")]
    public void The_kind_of_election_comes_first_from_version_1(short version, string hex) => Assert.Equal(
        hex,
        Write(
            new ElectLeadersRequest { ElectionType = 1, Topics = [new() { Topic = "orders", Partitions = [0, 3] }] },
            ApiKey.ElectLeaders,
            version));

    [Theory]
    [InlineData(0, "ffffffff" + "0000ea60")]
    [InlineData(2, "00" + "00" + "0000ea60" + "00")]
    public void All_partitions_are_meant_by_null(short version, string hex) =>
        Assert.Equal(hex, Write(new ElectLeadersRequest { Topics = null }, ApiKey.ElectLeaders, version));

    [Theory]
    [InlineData(0, "00000000" + "00000001" + "00066f7264657273" + "00000001" + "00000003" + "0054" + "ffff")]
    [InlineData(1, "00000000" + "0000" + "00000001" + "00066f7264657273" + "00000001" + "00000003" + "0054" + "ffff")]
    [InlineData(2, "00000000" + "0000" + "02" + "076f7264657273" + "02" + "00000003" + "0054" + "00" + "00" + "00" + "00")]
    public void Each_partition_is_answered_for_itself(short version, string hex) => Assert.Equal(
        hex,
        Write(
            new ElectLeadersResponse
            {
                ReplicaElectionResults =
                [
                    new()
                    {
                        Topic = "orders",
                        PartitionResult = [new() { PartitionId = 3, ErrorCode = ErrorCode.ElectionNotNeeded }],
                    },
                ],
            },
            ApiKey.ElectLeaders,
            version));

    [Fact]
    public void A_broker_is_forgotten_by_its_id()
    {
        Assert.Equal("00000007" + "00", Write(new UnregisterBrokerRequest { BrokerId = 7 }, ApiKey.UnregisterBroker, 0));
        Assert.Equal(
            "00000000" + "0066" + "00" + "00",
            Write(new UnregisterBrokerResponse { ErrorCode = ErrorCode.BrokerIdNotRegistered }, ApiKey.UnregisterBroker, 0));
    }

    private static string Write(IMessage message, ApiKey key, short version) =>
        Convert.ToHexStringLower(EveryMessage.Write(message, key, version));
}
