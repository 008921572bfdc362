using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.UnitTests.Protocol.Wire;

/// <summary>
/// The messages of share groups (KIP-932). The bytes were put together field by field from Kafka 4.2's message definitions,
/// without the code that is tested here: no other implementation was at hand.
/// </summary>
public sealed class ShareGroupLayoutTests
{
    private static readonly Guid TopicId = new("00112233-4455-6677-8899-aabbccddeeff");

    [Fact]
    public void ShareGroupHeartbeat_1()
    {
        Check(new ShareGroupHeartbeatRequest { GroupId = "g", MemberId = "m", MemberEpoch = 3, SubscribedTopicNames = ["jobs"] }, 1, "0267026d000000030002056a6f627300");
        Check(
            new ShareGroupHeartbeatResponse
            {
                MemberId = "m",
                MemberEpoch = 4,
                HeartbeatIntervalMs = 5000,
                Assignment = new() { TopicPartitions = [new() { TopicId = TopicId, Partitions = [0, 2] }] },
            }, 1,
            "00000000000000026d0000000400001388010200112233445566778899aabbccddeeff030000000000000002000000");
    }

    [Fact]
    public void ShareFetch_1_and_2()
    {
        Check(new ShareFetchRequest { GroupId = "g", MemberId = "m", ShareSessionEpoch = 1, MaxWaitMs = 500, MinBytes = 1, MaxBytes = 1 << 20, MaxRecords = 100, BatchSize = 50 }, 1, "0267026d00000001000001f400000001001000000000006400000032010100");
        Check(
            new ShareFetchRequest
            {
                GroupId = "g",
                MemberId = "m",
                ShareSessionEpoch = 1,
                MaxWaitMs = 500,
                MinBytes = 1,
                MaxBytes = 1 << 20,
                MaxRecords = 100,
                BatchSize = 50,
                ShareAcquireMode = 1,
                Topics = [new() { TopicId = TopicId, Partitions = [new() { PartitionIndex = 2, AcknowledgementBatches = [new() { FirstOffset = 5, LastOffset = 6, AcknowledgeTypes = [1, 2] }] }] }],
                ForgottenTopicsData = [new() { TopicId = TopicId, Partitions = [7] }],
            }, 2,
            "0267026d00000001000001f40000000100100000000000640000003201000200112233445566778899aabbccddeeff020000000202000000000000000500000000000000060301020000000200112233445566778899aabbccddeeff02000000070000");
        Check(
            new ShareFetchResponse
            {
                AcquisitionLockTimeoutMs = 30000,
                Responses =
                [
                    new()
                    {
                        TopicId = TopicId,
                        Partitions =
                        [
                            new()
                            {
                                PartitionIndex = 2, AcknowledgeErrorCode = ErrorCode.InvalidRecordState, AcknowledgeErrorMessage = "no", CurrentLeader = new() { LeaderId = 1, LeaderEpoch = 9 },
                                Records = new byte[] { 1, 2, 3 }, AcquiredRecords = [new() { FirstOffset = 5, LastOffset = 6, DeliveryCount = 2 }],
                            },
                        ],
                    },
                ],
                NodeEndpoints = [new() { NodeId = 1, Host = "h", Port = 9092 }],
            }, 2,
            "00000000000000000075300200112233445566778899aabbccddeeff02000000020000000079036e6f00000001000000090004010203020000000000000005000000000000000600020000000200000001026800002384000000");
    }

    [Fact]
    public void ShareAcknowledge_2()
    {
        Check(
            new ShareAcknowledgeRequest
            {
                GroupId = "g",
                MemberId = "m",
                ShareSessionEpoch = -1,
                IsRenewAck = true,
                Topics = [new() { TopicId = TopicId, Partitions = [new() { PartitionIndex = 2, AcknowledgementBatches = [new() { FirstOffset = 5, LastOffset = 5, AcknowledgeTypes = [4] }] }] }],
            }, 2,
            "0267026dffffffff010200112233445566778899aabbccddeeff02000000020200000000000000050000000000000005020400000000");
        Check(
            new ShareAcknowledgeResponse
            {
                AcquisitionLockTimeoutMs = 30000,
                Responses = [new() { TopicId = TopicId, Partitions = [new() { PartitionIndex = 2, ErrorCode = ErrorCode.NotLeaderOrFollower, CurrentLeader = new() { LeaderId = 1, LeaderEpoch = 9 } }] }],
            }, 2,
            "00000000000000000075300200112233445566778899aabbccddeeff020000000200060000000001000000090000000100");
    }

    [Fact]
    public void WriteShareGroupState_1_without_our_own_field() => Check(
        new WriteShareGroupStateRequest
        {
            GroupId = "g",
            Topics =
            [
                new()
                {
                    TopicId = TopicId,
                    Partitions =
                    [
                        new()
                        {
                            Partition = 2, StateEpoch = 1, LeaderEpoch = 9, StartOffset = 5, DeliveryCompleteCount = 1,
                            StateBatches = [new() { FirstOffset = 5, LastOffset = 6, DeliveryState = 2, DeliveryCount = 1 }],
                        },
                    ],
                },
            ],
        }, 1,
        "02670200112233445566778899aabbccddeeff02000000020000000100000009000000000000000500000001020000000000000005000000000000000602000100000000");

    [Fact]
    public void Share_group_offsets()
    {
        Check(
            new AlterShareGroupOffsetsRequest { GroupId = "g", Topics = [new() { TopicName = "jobs", Partitions = [new() { PartitionIndex = 0, StartOffset = 7 }] }] }, 0,
            "026702056a6f627302000000000000000000000007000000");
        Check(
            new DescribeShareGroupOffsetsResponse
            {
                Groups = [new() { GroupId = "g", Topics = [new() { TopicName = "jobs", TopicId = TopicId, Partitions = [new() { StartOffset = 7, LeaderEpoch = 2, Lag = 3 }] }] }],
            }, 1,
            "0000000002026702056a6f627300112233445566778899aabbccddeeff0200000000000000000000000700000002000000000000000300000000000000000000");
    }

    private static void Check<T>(T message, short version, string hex) where T : class, IMessage
    {
        var isRequest = message is IRequest;
        var key = (ApiKey)typeof(T).GetProperty(nameof(IRequest.Api))!.GetValue(null)!;
        Assert.Equal(hex, Convert.ToHexStringLower(EveryMessage.Write(message, key, version)));
        var read = EveryMessage.Read(Convert.FromHexString(hex), key, isRequest, version, out var remaining);
        Assert.Equal(0, remaining);
        Assert.Equal(hex, Convert.ToHexStringLower(EveryMessage.Write(read, key, version)));
    }
}
