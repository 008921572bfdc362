using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Cli;

/// <summary><c>olog transactions</c> and readers of committed records, against a broker of the embedded engine.</summary>
public sealed class TransactionCommandTests : IAsyncLifetime
{
    private TestBroker _broker = null!;
    private OrleansLogClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = await TestBroker.StartAsync(config: [("transaction.state.log.num.partitions", "2"), ("offsets.topic.num.partitions", "2")]);
        await using var raw = await _broker.ConnectAsync();
        await raw.CreateTopicAsync("orders");
        _client = new OrleansLogClient(_broker.EndPoint.ToString());
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _broker.DisposeAsync();
    }

    private Task<OlogResult> RunAsync(string line) => OlogScript.RunAsync($"{line} --bootstrap {_broker.EndPoint}");

    private Producer<string, string> NewProducer() => _client.CreateProducer<string, string>(new() { TransactionalId = "billing" });

    [Fact]
    public async Task An_open_transaction_is_listed_described_and_aborted()
    {
        await using var producer = NewProducer();
        var transaction = producer.BeginTransaction();
        await producer.ProduceAsync("orders", null, "x");

        Assert.Contains("billing", (await RunAsync("transactions list --state Ongoing")).Text);
        Assert.DoesNotContain("billing", (await RunAsync("transactions list --state Empty")).Text);
        var described = (await RunAsync("transactions describe billing")).Text;
        Assert.Contains("Ongoing, producer 0 in epoch 0", described);
        Assert.Matches("orders +0 +0", described);

        var aborted = await RunAsync("transactions abort billing");
        Assert.Equal("Aborted the transaction of 'billing'; its producer is ended.", aborted.Text.Trim());
        Assert.Equal(ErrorCode.ProducerFenced, (await Assert.ThrowsAsync<OrleansLogException>(async () => await transaction.CommitAsync())).ErrorCode);
        await transaction.DisposeAsync();
        Assert.Equal("", (await RunAsync("consume orders --from-beginning --exit-at-end --isolation committed")).RecordText);
        Assert.Equal("x\n", (await RunAsync("consume orders --from-beginning --exit-at-end")).RecordText);
    }

    [Fact]
    public async Task A_transaction_that_no_coordinator_knows_of_is_found_and_aborted()
    {
        Hang();
        await using (var producer = _client.CreateProducer<string, string>()) await producer.ProduceAsync("orders", null, "behind");
        Assert.Equal("", (await RunAsync("consume orders --from-beginning --exit-at-end --isolation committed")).RecordText);

        Assert.DoesNotContain("4711", (await RunAsync("transactions find-hanging --topic orders")).Text);
        Assert.Matches("orders +0 +0 +4711 +0", (await RunAsync("transactions find-hanging --older-than-minutes 0")).Text);
        Assert.Equal(1, (await RunAsync("transactions abort --topic orders --partition 0 --from 1")).ExitCode);
        Assert.Equal("Aborted the transaction of producer 4711 in orders-0.", (await RunAsync("transactions abort --topic orders --partition 0 --from 0")).Text.Trim());

        Assert.DoesNotContain("4711", (await RunAsync("transactions find-hanging --older-than-minutes 0")).Text);
        Assert.Equal("behind\n", (await RunAsync("consume orders --from-beginning --exit-at-end --isolation committed")).RecordText);
    }

    [Fact]
    public async Task What_is_open_and_known_does_not_hang()
    {
        await using var producer = NewProducer();
        await using var transaction = producer.BeginTransaction();
        await producer.ProduceAsync("orders", null, "x");
        Assert.DoesNotMatch("orders +0", (await RunAsync("transactions find-hanging --older-than-minutes 0")).Text);
    }

    [Fact]
    public async Task A_wrong_id_is_answered_with_the_right_one()
    {
        await using var producer = NewProducer();
        await producer.Bytes.InitTransactionsAsync();
        var run = await RunAsync("transactions describe biling");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("'billing'", run.Error);
        Assert.Equal(2, (await RunAsync("transactions abort billing --partition 3")).ExitCode);
        Assert.Equal(2, (await RunAsync("consume orders --isolation odd")).ExitCode);
    }

    // As a broker might have let happen that did not ask the coordinator.
    private void Hang()
    {
        using var builder = new RecordBatchBuilder(1024) { ProducerId = 4711, ProducerEpoch = 0, BaseSequence = 0, IsTransactional = true };
        builder.TryAppend(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - 1000, "k"u8, false, "lost"u8, false, []);
        var partition = _broker.Broker.Partitions.Find(new("orders", 0))!;
        var appended = partition.Append(builder.Build().ToArray(), transaction: new() { VerifiedAt = Offset.Zero });
        Assert.Equal(ErrorCode.None, appended.Error);
    }
}
