using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.UnitTests.Protocol.Wire;

/// <summary>
/// Bytes that other implementations wrote for the same values: those of versions that are not flexible come from
/// kafka-python 2.0.2, whose layouts are typed by hand, the flexible ones from kafka-python 3.1, those of
/// reassignments from kafkajs 2.2.4, the first request of a connection from librdkafka 2.0.2.
/// </summary>
public sealed class GoldenBytesTests
{
    private static readonly Guid TopicId = new("00112233-4455-6677-8899-aabbccddeeff");

    [Fact]
    public void Metadata_of_all_topics_is_asked_for_with_a_null_array() =>
        Check(new MetadataRequest { Topics = null }, 1, "ffffffff");

    [Fact]
    public void Metadata_request_5() =>
        Check(
            new MetadataRequest
            {
                Topics = [new() { Name = "orders" }, new() { Name = "payments" }],
                AllowAutoTopicCreation = false,
            },
            5,
            "0000000200066f726465727300087061796d656e747300");

    [Fact]
    public void Metadata_response_5() =>
        Check(
            new MetadataResponse
            {
                ThrottleTimeMs = 7,
                Brokers =
                [
                    new() { NodeId = 1, Host = "broker-1", Port = 9092 },
                    new() { NodeId = 2, Host = "broker-2", Port = 9093, Rack = "rack" },
                ],
                ClusterId = "cluster",
                ControllerId = 2,
                Topics =
                [
                    new()
                    {
                        Name = "orders",
                        Partitions =
                        [
                            new() { LeaderId = 1, ReplicaNodes = [1, 2], IsrNodes = [1], OfflineReplicas = [2] },
                        ],
                    },
                    new() { ErrorCode = ErrorCode.UnknownTopicOrPartition, Name = "none", IsInternal = true },
                ],
            },
            5,
            "000000070000000200000001000862726f6b65722d3100002384ffff00000002000862726f6b65722d320000" +
            "238500047261636b0007636c75737465720000000200000002000000066f7264657273000000000100000000" +
            "00000000000100000002000000010000000200000001000000010000000100000002000300046e6f6e650100" +
            "000000");

    [Fact]
    public void Metadata_response_13_with_topic_ids() =>
        Check(
            new MetadataResponse
            {
                ThrottleTimeMs = 7,
                Brokers = [new() { NodeId = 1, Host = "broker-1", Port = 9092 }],
                ClusterId = "cluster",
                ControllerId = 1,
                Topics =
                [
                    new()
                    {
                        Name = "orders",
                        TopicId = TopicId,
                        Partitions =
                        [
                            new()
                            {
                                LeaderId = 1,
                                LeaderEpoch = 4,
                                ReplicaNodes = [1, 2],
                                IsrNodes = [1],
                                OfflineReplicas = [2],
                            },
                        ],
                    },
                    new() { ErrorCode = ErrorCode.UnknownTopicId, Name = null, TopicId = TopicId },
                ],
            },
            13,
            "0000000702000000010962726f6b65722d3100002384000008636c757374657200000001030000076f726465" +
            "727300112233445566778899aabbccddeeff0002000000000000000000010000000403000000010000000202" +
            "00000001020000000200800000000000640000112233445566778899aabbccddeeff00018000000000000000");

    [Fact]
    public void Produce_request_7() =>
        Check(
            new ProduceRequest
            {
                Acks = -1,
                TimeoutMs = 30_000,
                TopicData =
                [
                    new() { Name = "orders", PartitionData = [new() { Index = 3, Records = new byte[] { 1, 2, 3 } }] },
                ],
            },
            7,
            "ffffffff000075300000000100066f7264657273000000010000000300000003010203");

    [Fact]
    public void Produce_response_7() =>
        Check(
            new ProduceResponse
            {
                Responses =
                [
                    new()
                    {
                        Name = "orders",
                        PartitionResponses =
                        [
                            new() { Index = 3, BaseOffset = 42, LogStartOffset = 5 },
                            new() { Index = 4, ErrorCode = ErrorCode.NotLeaderOrFollower, BaseOffset = -1 },
                        ],
                    },
                ],
                ThrottleTimeMs = 9,
            },
            7,
            "0000000100066f726465727300000002000000030000000000000000002affffffffffffffff000000000000" +
            "0005000000040006ffffffffffffffffffffffffffffffffffffffffffffffff00000009");

    [Fact]
    public void Produce_response_12_says_in_tags_who_leads_now() =>
        Check(
            new ProduceResponse
            {
                Responses =
                [
                    new()
                    {
                        Name = "orders",
                        PartitionResponses =
                        [
                            new()
                            {
                                Index = 3,
                                ErrorCode = ErrorCode.NotLeaderOrFollower,
                                BaseOffset = -1,
                                RecordErrors = [new() { BatchIndex = 1, BatchIndexErrorMessage = "bad" }],
                                CurrentLeader = new() { LeaderId = 2, LeaderEpoch = 5 },
                            },
                        ],
                    },
                ],
                NodeEndpoints = [new() { NodeId = 2, Host = "broker-2", Port = 9093, Rack = "rack" }],
            },
            12,
            "02076f726465727302000000030006ffffffffffffffffffffffffffffffffffffffffffffffff0200000001" +
            "046261640000010009000000020000000500000000000001001802000000020962726f6b65722d3200002385" +
            "057261636b00");

    [Fact]
    public void Fetch_request_11() =>
        Check(
            new FetchRequest
            {
                MaxWaitMs = 500,
                MinBytes = 1,
                MaxBytes = 1_048_576,
                IsolationLevel = 1,
                SessionId = 77,
                SessionEpoch = 2,
                Topics =
                [
                    new()
                    {
                        Topic = "orders",
                        Partitions =
                        [
                            new()
                            {
                                Partition = 3,
                                CurrentLeaderEpoch = 4,
                                FetchOffset = 42,
                                PartitionMaxBytes = 65_536,
                            },
                        ],
                    },
                ],
                RackId = "rack",
            },
            11,
            "ffffffff000001f40000000100100000010000004d000000020000000100066f726465727300000001000000" +
            "0300000004000000000000002affffffffffffffff000100000000000000047261636b");

    [Fact]
    public void Fetch_request_17_of_a_follower_with_tags_in_two_layers() =>
        Check(
            new FetchRequest
            {
                ClusterId = "cluster",
                ReplicaState = new() { ReplicaId = 2, ReplicaEpoch = 9 },
                MaxWaitMs = 500,
                MinBytes = 1,
                MaxBytes = 1_048_576,
                IsolationLevel = 1,
                Topics =
                [
                    new()
                    {
                        TopicId = TopicId,
                        Partitions =
                        [
                            new()
                            {
                                Partition = 3,
                                CurrentLeaderEpoch = 4,
                                FetchOffset = 42,
                                LastFetchedEpoch = 4,
                                PartitionMaxBytes = 65_536,
                                ReplicaDirectoryId = TopicId,
                            },
                        ],
                    },
                ],
            },
            17,
            "000001f400000001001000000100000000ffffffff0200112233445566778899aabbccddeeff020000000300" +
            "000004000000000000002a00000004ffffffffffffffff0001000001001000112233445566778899aabbccdd" +
            "eeff00010102000808636c7573746572010d00000002000000000000000900");

    [Fact]
    public void Fetch_response_4_with_an_aborted_transaction() =>
        Check(
            new FetchResponse
            {
                Responses =
                [
                    new()
                    {
                        Topic = "orders",
                        Partitions =
                        [
                            new()
                            {
                                PartitionIndex = 3,
                                HighWatermark = 50,
                                LastStableOffset = 48,
                                AbortedTransactions = [new() { ProducerId = 1000, FirstOffset = 44 }],
                                Records = new byte[] { 0xAA, 0xBB },
                            },
                            new()
                            {
                                PartitionIndex = 4,
                                ErrorCode = ErrorCode.OffsetOutOfRange,
                                HighWatermark = -1,
                                AbortedTransactions = null,
                                Records = ReadOnlyMemory<byte>.Empty,
                            },
                        ],
                    },
                ],
            },
            4,
            "000000000000000100066f726465727300000002000000030000000000000000003200000000000000300000" +
            "000100000000000003e8000000000000002c00000002aabb000000040001ffffffffffffffffffffffffffff" +
            "ffffffffffff00000000");

    [Fact]
    public void List_offsets_request_2() =>
        Check(
            new ListOffsetsRequest
            {
                ReplicaId = -1,
                IsolationLevel = 1,
                Topics = [new() { Name = "orders", Partitions = [new() { PartitionIndex = 3, Timestamp = -1 }] }],
            },
            2,
            "ffffffff010000000100066f72646572730000000100000003ffffffffffffffff");

    [Fact]
    public void List_offsets_response_5() =>
        Check(
            new ListOffsetsResponse
            {
                Topics =
                [
                    new()
                    {
                        Name = "orders",
                        Partitions = [new() { PartitionIndex = 3, Offset = 42, LeaderEpoch = 4 }],
                    },
                ],
            },
            5,
            "000000000000000100066f726465727300000001000000030000ffffffffffffffff000000000000002a0000" +
            "0004");

    [Fact]
    public void Join_group_request_2() =>
        Check(
            new JoinGroupRequest
            {
                GroupId = "shop",
                SessionTimeoutMs = 10_000,
                RebalanceTimeoutMs = 60_000,
                ProtocolType = "consumer",
                Protocols = [new() { Name = "range", Metadata = new byte[] { 0, 1 } }, new() { Name = "sticky" }],
            },
            2,
            "000473686f70000027100000ea6000000008636f6e73756d657200000002000572616e676500000002000100" +
            "06737469636b7900000000");

    [Fact]
    public void Join_group_response_2() =>
        Check(
            new JoinGroupResponse
            {
                GenerationId = 5,
                ProtocolName = "range",
                Leader = "m-1",
                MemberId = "m-2",
                Members = [new() { MemberId = "m-1", Metadata = new byte[] { 1 } }, new() { MemberId = "m-2" }],
            },
            2,
            "00000000000000000005000572616e676500036d2d3100036d2d320000000200036d2d31000000010100036d" +
            "2d3200000000");

    [Fact]
    public void Join_group_response_9_to_a_static_leader() =>
        Check(
            new JoinGroupResponse
            {
                GenerationId = 5,
                ProtocolType = "consumer",
                ProtocolName = null,
                Leader = "m-1",
                SkipAssignment = true,
                MemberId = "m-1",
                Members = [new() { MemberId = "m-1", GroupInstanceId = "i", Metadata = new byte[] { 1 } }],
            },
            9,
            "0000000000000000000509636f6e73756d657200046d2d3101046d2d3102046d2d31026902010000");

    [Fact]
    public void Sync_group_request_1() =>
        Check(
            new SyncGroupRequest
            {
                GroupId = "shop",
                GenerationId = 5,
                MemberId = "m-1",
                Assignments = [new() { MemberId = "m-1", Assignment = new byte[] { 1, 2 } }],
            },
            1,
            "000473686f700000000500036d2d310000000100036d2d31000000020102");

    [Fact]
    public void Offset_commit_request_3() =>
        Check(
            new OffsetCommitRequest
            {
                GroupId = "shop",
                GenerationIdOrMemberEpoch = 5,
                MemberId = "m-1",
                Topics =
                [
                    new()
                    {
                        Name = "orders",
                        Partitions =
                        [
                            new() { PartitionIndex = 0, CommittedOffset = 42, CommittedMetadata = "note" },
                            new() { PartitionIndex = 1, CommittedOffset = 43, CommittedMetadata = null },
                        ],
                    },
                ],
            },
            3,
            "000473686f700000000500036d2d31ffffffffffffffff0000000100066f7264657273000000020000000000" +
            "0000000000002a00046e6f746500000001000000000000002bffff");

    [Fact]
    public void Offset_fetch_response_3() =>
        Check(
            new OffsetFetchResponse
            {
                Topics =
                [
                    new()
                    {
                        Name = "orders",
                        Partitions =
                        [
                            new() { PartitionIndex = 0, CommittedOffset = 42, Metadata = "note" },
                            new() { PartitionIndex = 1, CommittedOffset = -1 },
                        ],
                    },
                ],
            },
            3,
            "000000000000000100066f72646572730000000200000000000000000000002a00046e6f7465000000000001" +
            "ffffffffffffffff000000000000");

    [Fact]
    public void Offset_fetch_request_9_of_two_groups() =>
        Check(
            new OffsetFetchRequest
            {
                Groups =
                [
                    new()
                    {
                        GroupId = "shop",
                        MemberId = "m-1",
                        MemberEpoch = 5,
                        Topics = [new() { Name = "orders", PartitionIndexes = [0, 1] }],
                    },
                    new() { GroupId = "all", Topics = null },
                ],
                RequireStable = true,
            },
            9,
            "030573686f70046d2d310000000502076f7264657273030000000000000001000004616c6c00ffffffff0000" +
            "0100");

    [Fact]
    public void Create_topics_request_3() =>
        Check(
            new CreateTopicsRequest
            {
                Topics =
                [
                    new()
                    {
                        Name = "orders",
                        NumPartitions = -1,
                        ReplicationFactor = -1,
                        Assignments = [new() { PartitionIndex = 0, BrokerIds = [1, 2] }],
                        Configs =
                        [
                            new() { Name = "cleanup.policy", Value = "compact" },
                            new() { Name = "x", Value = null },
                        ],
                    },
                ],
                ValidateOnly = true,
            },
            3,
            "0000000100066f7264657273ffffffffffff000000010000000000000002000000010000000200000002000e" +
            "636c65616e75702e706f6c6963790007636f6d70616374000178ffff0000ea6001");

    [Fact]
    public void Describe_configs_response_2() =>
        Check(
            new DescribeConfigsResponse
            {
                Results =
                [
                    new()
                    {
                        ErrorMessage = "",
                        ResourceType = 2,
                        ResourceName = "orders",
                        Configs =
                        [
                            new()
                            {
                                Name = "retention.ms",
                                Value = "1000",
                                ConfigSource = 1,
                                Synonyms =
                                [
                                    new() { Name = "retention.ms", Value = "1000", Source = 1 },
                                    new() { Name = "log.retention.ms", Value = null, Source = 5 },
                                ],
                            },
                        ],
                    },
                ],
            },
            2,
            "0000000000000001000000000200066f726465727300000001000c726574656e74696f6e2e6d730004313030" +
            "3000010000000002000c726574656e74696f6e2e6d730004313030300100106c6f672e726574656e74696f6e" +
            "2e6d73ffff05");

    [Fact]
    public void Api_versions_response_4_with_features_in_tags() =>
        Check(
            new ApiVersionsResponse
            {
                ApiKeys =
                [
                    new() { ApiKey = (short)ApiKey.Produce, MinVersion = 0, MaxVersion = 12 },
                    new() { ApiKey = (short)ApiKey.ApiVersions, MinVersion = 0, MaxVersion = 4 },
                ],
                SupportedFeatures = [new() { Name = "group.version", MinVersion = 0, MaxVersion = 1 }],
                FinalizedFeaturesEpoch = 3,
                FinalizedFeatures = [new() { Name = "group.version", MaxVersionLevel = 1, MinVersionLevel = 1 }],
            },
            4,
            "00000300000000000c000012000000040000000000030014020e67726f75702e76657273696f6e0000000100" +
            "010800000000000000030214020e67726f75702e76657273696f6e0001000100");

    [Fact]
    public void Describe_topic_partitions_request_with_and_without_a_cursor()
    {
        var request = new DescribeTopicPartitionsRequest { Topics = [new() { Name = "orders" }] };
        Check(request, 0, "02076f726465727300000007d0ff00");
        request.Cursor = new() { TopicName = "orders", PartitionIndex = 7 };
        Check(request, 0, "02076f726465727300000007d001076f7264657273000000070000");
    }

    [Fact]
    public void List_config_resources()
    {
        Check(new ListConfigResourcesRequest { ResourceTypes = [32, 2] }, 1, "03200200");
        Check(new ListConfigResourcesRequest(), 0, "00");
        Check(new ListConfigResourcesResponse { ConfigResources = [new() { ResourceName = "g", ResourceType = 32 }] }, 1, "0000000000000202672000" + "00");
        Check(new ListConfigResourcesResponse { ConfigResources = [new() { ResourceName = "m" }] }, 0, "00000000000002026d00" + "00");
    }

    [Fact]
    public void Alter_partition_reassignments_request_0() =>
        Check(
            new AlterPartitionReassignmentsRequest
            {
                TimeoutMs = 30_000,
                Topics = [new() { Name = "orders", Partitions = [new() { PartitionIndex = 3, Replicas = [1, 2] }] }],
            },
            0,
            "0000753002076f72646572730200000003030000000100000002000000");

    [Fact]
    public void List_partition_reassignments_request_of_all_and_of_some()
    {
        Check(new ListPartitionReassignmentsRequest { TimeoutMs = 30_000 }, 0, "000075300000");
        Check(
            new ListPartitionReassignmentsRequest
            {
                TimeoutMs = 30_000,
                Topics = [new() { Name = "orders", PartitionIndexes = [0, 3] }],
            },
            0,
            "0000753002076f72646572730300000000000000030000");
    }

    [Fact]
    public void The_first_request_of_librdkafka_is_understood()
    {
        var frame = Convert.FromHexString(
            "0012000300000001000772646b61666b61000b6c696272646b61666b6106322e302e3200");
        var reader = new WireReader(frame);
        Assert.Equal(new RequestHeader(ApiKey.ApiVersions, 3, 1, "rdkafka"), RequestHeader.Read(ref reader));
        var request = reader.Read<ApiVersionsRequest>();
        Assert.Equal(("librdkafka", "2.0.2"), (request.ClientSoftwareName, request.ClientSoftwareVersion));
        Assert.Equal(0, reader.Remaining);
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
