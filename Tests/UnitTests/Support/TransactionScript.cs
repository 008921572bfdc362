using System.Text;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Records;

namespace OrleansLog.UnitTests.Support;

/// <summary>
/// A transactional producer made of bare requests: in the old way, which says of each partition that it is part of the
/// transaction, or in the new one, in which writing to it does (KIP-890).
/// </summary>
internal sealed class TransactionScript(TestClient client, string id = "tx", bool isNew = true)
{
    private readonly Dictionary<string, int> _sequences = [];

    public long ProducerId { get; private set; }

    public short Epoch { get; set; }

    public static async Task<TransactionScript> InitAsync(TestClient client, string id = "tx", bool isNew = true, int timeoutMs = 60_000)
    {
        var script = new TransactionScript(client, id, isNew);
        Assert.Equal(ErrorCode.None, (await script.InitAsync(timeoutMs)).ErrorCode);
        return script;
    }

    /// <summary>The same producer over another connection.</summary>
    public TransactionScript With(TestClient other) => new(other, id, isNew) { ProducerId = ProducerId, Epoch = Epoch };

    /// <summary>Asks until nothing is in the way any more: the topic is made, what was open is aborted.</summary>
    public async Task<InitProducerIdResponse> InitAsync(int timeoutMs = 60_000, long producerId = -1, short epoch = -1)
    {
        while (true)
        {
            await client.CallAsync(new FindCoordinatorRequest { KeyType = 1, CoordinatorKeys = [id] });
            var answer = await client.CallAsync(new InitProducerIdRequest
            {
                TransactionalId = id,
                TransactionTimeoutMs = timeoutMs,
                ProducerId = producerId,
                ProducerEpoch = epoch,
            });
            if (answer.ErrorCode is ErrorCode.ConcurrentTransactions or ErrorCode.NotCoordinator or ErrorCode.CoordinatorLoadInProgress)
            {
                await Task.Yield();
                continue;
            }
            (ProducerId, Epoch) = (answer.ProducerId, answer.ProducerEpoch);
            _sequences.Clear();
            return answer;
        }
    }

    public async Task<ErrorCode> AddAsync(string topic, int partition = 0)
    {
        var answer = await client.CallAsync(
            new AddPartitionsToTxnRequest
            {
                V3AndBelowTransactionalId = id,
                V3AndBelowProducerId = ProducerId,
                V3AndBelowProducerEpoch = Epoch,
                V3AndBelowTopics = [new() { Name = topic, Partitions = [partition] }],
            },
            version: 3);
        return answer.ResultsByTopicV3AndBelow[0].ResultsByPartition[0].PartitionErrorCode;
    }

    public async Task<ErrorCode> WriteAsync(string topic, string value, int partition = 0)
    {
        var key = $"{topic}-{partition}";
        var sequence = _sequences.GetValueOrDefault(key);
        var error = (await SendAsync(topic, value, sequence, partition)).ErrorCode;
        if (error == ErrorCode.None) _sequences[key] = sequence + 1;
        return error;
    }

    public async Task<ProduceResponse.PartitionProduceResponse> SendAsync(string topic, string value, int sequence, int partition = 0)
    {
        var request = BrokerScript.Produce(topic, Batch(value, sequence), partition: partition);
        request.TransactionalId = id;
        return BrokerScript.Single(await client.CallAsync(request, version: (short)(isNew ? 12 : 11)));
    }

    public byte[] Batch(string value, int sequence)
    {
        using var builder = new RecordBatchBuilder(1 << 20) { ProducerId = ProducerId, ProducerEpoch = Epoch, BaseSequence = sequence, IsTransactional = true };
        builder.TryAppend(1_000, default, keyIsNull: true, Encoding.UTF8.GetBytes(value), valueIsNull: false, []);
        return builder.Build().ToArray();
    }

    public async Task<ErrorCode> EndAsync(bool isCommit)
    {
        var answer = await EndOnceAsync(isCommit);
        while (!isNew && answer.ErrorCode == ErrorCode.ConcurrentTransactions) answer = await EndOnceAsync(isCommit);
        if (isNew && answer.ErrorCode == ErrorCode.None)
        {
            (ProducerId, Epoch) = (answer.ProducerId, answer.ProducerEpoch);
            _sequences.Clear();
        }
        return answer.ErrorCode;
    }

    public Task<EndTxnResponse> EndOnceAsync(bool isCommit) => client.CallAsync(
        new EndTxnRequest { TransactionalId = id, ProducerId = ProducerId, ProducerEpoch = Epoch, Committed = isCommit }, version: (short)(isNew ? 5 : 4));

    public async Task<ErrorCode> CommitOffsetAsync(string group, string topic, long offset, int generation = -1, string member = "")
    {
        if (!isNew && await AddOffsetsAsync(group) is var error && error != ErrorCode.None)
            return error;
        var answer = await client.CallAsync(
            new TxnOffsetCommitRequest
            {
                TransactionalId = id,
                GroupId = group,
                ProducerId = ProducerId,
                ProducerEpoch = Epoch,
                GenerationId = generation,
                MemberId = member,
                Topics = [new() { Name = topic, Partitions = [new() { PartitionIndex = 0, CommittedOffset = offset }] }],
            },
            version: (short)(isNew ? 5 : 3));
        return answer.Topics[0].Partitions[0].ErrorCode;
    }

    private async Task<ErrorCode> AddOffsetsAsync(string group) => (await client.CallAsync(
        new AddOffsetsToTxnRequest { TransactionalId = id, ProducerId = ProducerId, ProducerEpoch = Epoch, GroupId = group })).ErrorCode;

    /// <summary>What a reader of committed transactions sees, aborted ones left out.</summary>
    public static async Task<List<string>> ReadCommittedAsync(TestClient client, string topic)
    {
        var request = BrokerScript.Fetch(topic, 0);
        request.IsolationLevel = 1;
        var part = BrokerScript.Single(await client.CallAsync(request, version: 12));
        Assert.Equal(ErrorCode.None, part.ErrorCode);
        return Visible(part);
    }

    public static List<string> Visible(FetchResponse.PartitionData part)
    {
        var (values, aborting) = (new List<string>(), new HashSet<long>());
        foreach (var batch in new RecordBatchEnumerator((part.Records ?? default).Span))
        {
            foreach (var aborted in part.AbortedTransactions ?? [])
                if (aborted.FirstOffset == batch.Header.BaseOffset.Value) aborting.Add(aborted.ProducerId);
            if (batch.Header.IsControl) aborting.Remove(batch.Header.ProducerId);
            else if (!(batch.Header.IsTransactional && aborting.Contains(batch.Header.ProducerId))) values.AddRange(Batches.Read(batch.Bytes.ToArray()));
        }
        return values;
    }
}
