using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Kafka;

public sealed class TopicAdministrationTests
{
    [Fact]
    public async Task A_topic_that_cannot_be_is_refused_with_the_reason()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("orders");

        await AssertRefusedAsync(client.CreateTopicAsync("orders"), ErrorCode.TopicAlreadyExists, "already");
        await AssertRefusedAsync(client.CreateTopicAsync(""), ErrorCode.InvalidTopicException, "empty");
        await AssertRefusedAsync(client.CreateTopicAsync("a/../b"), ErrorCode.InvalidTopicException, "character");
        await AssertRefusedAsync(client.CreateTopicAsync(".."), ErrorCode.InvalidTopicException, "'..'");
        await AssertRefusedAsync(client.CreateTopicAsync(new string('x', 250)), ErrorCode.InvalidTopicException, "250");
        await AssertRefusedAsync(client.CreateTopicAsync("other", partitions: 0), ErrorCode.InvalidPartitions, "at least one");
        await AssertRefusedAsync(client.CreateTopicAsync("other", partitions: 2_000_000), ErrorCode.InvalidPartitions, "2000000");
        await AssertRefusedAsync(client.CreateTopicAsync("other", replicas: 3), ErrorCode.InvalidReplicationFactor, "3");
        await AssertRefusedAsync(client.CreateTopicAsync("other", config: ("retention.mss", "1")), ErrorCode.InvalidConfig, "retention.ms?");
        await AssertRefusedAsync(client.CreateTopicAsync("other", config: ("retention.ms", "soon")), ErrorCode.InvalidConfig, "soon");
    }

    [Fact]
    public async Task A_topic_grows_and_never_shrinks()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("orders", partitions: 2);

        Assert.Equal(ErrorCode.None, (await GrowAsync(5)).ErrorCode);
        Assert.Equal(ErrorCode.InvalidPartitions, (await GrowAsync(3)).ErrorCode);

        var metadata = await client.CallAsync(new MetadataRequest { Topics = [new() { Name = "orders" }] });
        Assert.Equal(5, Assert.Single(metadata.Topics).Partitions.Count);
        Assert.Equal(ErrorCode.None, (await client.ProduceAsync("orders", Batches.Of("a"), partition: 4)).ErrorCode);

        async Task<CreatePartitionsResponse.CreatePartitionsTopicResult> GrowAsync(int count) =>
            Assert.Single((await client.CallAsync(new CreatePartitionsRequest
            {
                Topics = [new() { Name = "orders", Count = count, Assignments = null }],
            })).Results);
    }

    [Fact]
    public async Task A_deleted_topic_is_gone_and_its_name_can_be_used_again()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        var first = await client.CreateTopicAsync("orders");
        await client.ProduceAsync("orders", Batches.Of("a"));

        Assert.Equal(ErrorCode.None, await DeleteAsync());
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, await DeleteAsync());
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await client.FetchAsync("orders", 0)).ErrorCode);

        var second = await client.CreateTopicAsync("orders");
        Assert.NotEqual(first.TopicId, second.TopicId);
        Assert.Equal(0, (await client.FetchAsync("orders", 0)).HighWatermark);

        async Task<ErrorCode> DeleteAsync() => Assert.Single((await client.CallAsync(new DeleteTopicsRequest
        {
            Topics = [new() { Name = "orders" }],
        })).Responses).ErrorCode;
    }

    [Fact]
    public async Task Naming_a_topic_creates_it_where_both_sides_allow_that()
    {
        await using var broker = await TestBroker.StartAsync(config: ("num.partitions", "3"));
        await using var client = await broker.ConnectAsync();

        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await NameAsync("orders", mayCreate: false)).ErrorCode);
        Assert.Equal(3, (await NameAsync("orders", mayCreate: true)).Partitions.Count);
        Assert.Equal(ErrorCode.InvalidTopicException, (await NameAsync("no/such", mayCreate: true)).ErrorCode);

        async Task<MetadataResponse.MetadataResponseTopic> NameAsync(string name, bool mayCreate) =>
            Assert.Single((await client.CallAsync(new MetadataRequest { Topics = [new() { Name = name }], AllowAutoTopicCreation = mayCreate })).Topics);
    }

    [Fact]
    public async Task Altered_configuration_is_described_and_in_force()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("orders");

        Assert.Equal((ErrorCode.None, null), await AlterAsync("max.message.bytes", "500"));
        var (error, message) = await AlterAsync("max.mesage.bytes", "500");
        Assert.Equal(ErrorCode.InvalidConfig, error);
        Assert.Contains("max.message.bytes?", message);

        Assert.Equal(ErrorCode.MessageTooLarge, (await client.ProduceAsync("orders", Batches.OfSize(1000))).ErrorCode);
        var described = Assert.Single((await client.CallAsync(new DescribeConfigsRequest
        {
            Resources = [new() { ResourceType = 2, ResourceName = "orders", ConfigurationKeys = null }],
            IncludeSynonyms = true,
        })).Results);
        var altered = described.Configs.Single(config => config.Name == "max.message.bytes");
        Assert.Equal(("500", (sbyte)1), (altered.Value, altered.ConfigSource));
        Assert.Equal("1", described.Configs.Single(config => config.Name == "flush.messages").Value);

        async Task<(ErrorCode, string?)> AlterAsync(string name, string value)
        {
            var response = Assert.Single((await client.CallAsync(new IncrementalAlterConfigsRequest
            {
                Resources = [new() { ResourceType = 2, ResourceName = "orders", Configs = [new() { Name = name, Value = value }] }],
            })).Responses);
            return (response.ErrorCode, response.ErrorMessage);
        }
    }

    [Fact]
    public async Task Log_directories_tell_what_each_partition_takes()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("orders");
        await client.ProduceAsync("orders", Batches.OfSize(5000));

        var directory = Assert.Single((await client.CallAsync(new DescribeLogDirsRequest { Topics = null })).Results);

        Assert.InRange(Assert.Single(Assert.Single(directory.Topics).Partitions).PartitionSize, 5000, 6000);
        Assert.InRange(directory.UsableBytes, 1, directory.TotalBytes);
    }

    [Fact]
    public async Task Partitions_are_described_a_page_at_a_time()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("a", partitions: 3);
        await client.CreateTopicAsync("b", partitions: 3);
        var seen = new List<string>();

        var request = new DescribeTopicPartitionsRequest { ResponsePartitionLimit = 2 };
        for (var pages = 0; pages < 10; pages++)
        {
            var page = await client.CallAsync(request);
            seen.AddRange(page.Topics.SelectMany(topic => topic.Partitions.Select(partition => $"{topic.Name}-{partition.PartitionIndex}")));
            if (page.NextCursor is not { } next)
                break;
            request.Cursor = new() { TopicName = next.TopicName, PartitionIndex = next.PartitionIndex };
        }

        Assert.Equal(["a-0", "a-1", "a-2", "b-0", "b-1", "b-2"], seen);
    }

    private static async Task AssertRefusedAsync(
        Task<CreateTopicsResponse.CreatableTopicResult> creation, ErrorCode expected, string because)
    {
        var result = await creation;
        Assert.Equal(expected, result.ErrorCode);
        Assert.Contains(because, result.ErrorMessage);
    }
}
