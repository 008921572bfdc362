using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.UnitTests.Protocol.Wire;

/// <summary>The bytes are those of kafka-python 2.0.2 (version 0) and 3.1 (version 3) for the same values.</summary>
public sealed class ConsumerProtocolTests
{
    private const string SubscriptionV0 = "00000000000200066f726465727300087061796d656e74730000000101";
    private const string SubscriptionV3 =
        "00030000000200066f726465727300087061796d656e747300000001010000000100066f7264657273000000" +
        "0200000000000000020000000500047261636b";
    private const string AssignmentV0 = "00000000000100066f7264657273000000020000000000000002ffffffff";

    [Theory]
    [InlineData(0, SubscriptionV0)]
    [InlineData(3, SubscriptionV3)]
    public void A_subscription_is_written_as_others_write_it(short version, string hex)
    {
        var subscription = new ConsumerProtocolSubscription
        {
            Topics = ["orders", "payments"],
            UserData = new byte[] { 1 },
            OwnedPartitions = [new() { Topic = "orders", Partitions = [0, 2] }],
            GenerationId = 5,
            RackId = "rack",
        };
        Assert.Equal(hex, Convert.ToHexStringLower(ConsumerProtocol.Write(subscription, version)));
        var read = ConsumerProtocol.Read<ConsumerProtocolSubscription>(Convert.FromHexString(hex));
        Assert.Equal(hex, Convert.ToHexStringLower(ConsumerProtocol.Write(read, version)));
    }

    [Fact]
    public void An_assignment_is_written_as_others_write_it()
    {
        var assignment = new ConsumerProtocolAssignment
        {
            AssignedPartitions = [new() { Topic = "orders", Partitions = [0, 2] }],
        };
        Assert.Equal(AssignmentV0, Convert.ToHexStringLower(ConsumerProtocol.Write(assignment, 0)));
        var read = ConsumerProtocol.Read<ConsumerProtocolAssignment>(Convert.FromHexString(AssignmentV0));
        Assert.Null(read.UserData);
        Assert.Equal([0, 2], Assert.Single(read.AssignedPartitions).Partitions);
    }

    [Fact]
    public void A_later_version_is_read_as_far_as_it_is_known()
    {
        var later = Convert.FromHexString("0009" + SubscriptionV3[4..] + "ffff");
        Assert.Equal("rack", ConsumerProtocol.Read<ConsumerProtocolSubscription>(later).RackId);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ffff")]
    [InlineData("0000")]
    [InlineData("00007fffffff")]
    public void Noise_is_refused(string hex) => Assert.Throws<MalformedMessageException>(
        () => ConsumerProtocol.Read<ConsumerProtocolSubscription>(Convert.FromHexString(hex)));
}
