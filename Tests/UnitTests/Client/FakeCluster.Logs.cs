using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Records;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.UnitTests.Client;

/// <summary>Topics and their logs.</summary>
public sealed partial class FakeCluster
{
    private readonly SortedDictionary<string, FakeTopic> _topics = [];
    private TaskCompletionSource _appended = new();
    private long _lastProducerId = 4000;

    /// <summary>Batches of more bytes are refused as too large.</summary>
    public int MessageBytesMax { get; set; } = 1024 * 1024;

    /// <summary>Where brokers stand, as they say in their metadata.</summary>
    public Dictionary<int, string> Racks { get; } = [];

    public IReadOnlyDictionary<string, FakeTopic> Topics => _topics;

    public FakeTopic CreateTopic(string name, int partitions = 1)
    {
        lock (_gate)
        {
            var logs = Enumerable.Range(0, partitions).Select(i => new FakeLog { Leader = Brokers[i % Brokers.Length] }).ToList();
            return _topics[name] = new FakeTopic(Guid.NewGuid(), logs);
        }
    }

    public FakeLog Log(string topic, int partition = 0) => _topics[topic].Partitions[partition];

    /// <summary>Adds partitions to a topic.</summary>
    public void Grow(string name, int partitions)
    {
        lock (_gate)
        {
            var logs = _topics[name].Partitions;
            while (logs.Count < partitions) logs.Add(new FakeLog { Leader = Brokers[0] });
        }
    }

    /// <summary>Moves the leadership of a partition.</summary>
    public void Elect(string topic, int partition, int leader)
    {
        lock (_gate)
        {
            var log = Log(topic, partition);
            (log.Leader, log.LeaderEpoch) = (leader, log.LeaderEpoch + 1);
        }
    }

    /// <summary>Lets a broker hold a partition beside its leader, and readers read there up to an offset.</summary>
    public void Follow(string topic, int partition, int broker, long endOffset)
    {
        lock (_gate) Log(topic, partition).Followers[broker] = endOffset;
    }

    /// <summary>Takes all replicas but the leader from a partition.</summary>
    public void DropFollowers(string topic, int partition)
    {
        lock (_gate) Log(topic, partition).Followers.Clear();
    }

    /// <summary>Appends records without a client.</summary>
    public void Append(string topic, int partition, params string[] values)
    {
        foreach (var value in values) AppendBatch(topic, partition, ClientRecords.Build(value));
    }

    public void AppendBatch(string topic, int partition, ReadOnlyMemory<byte> batch)
    {
        TaskCompletionSource appended;
        lock (_gate)
        {
            Log(topic, partition).Append(batch);
            (appended, _appended) = (_appended, new TaskCompletionSource());
        }
        appended.SetResult();
    }

    private MetadataResponse Metadata(MetadataRequest request)
    {
        lock (_gate)
        {
            if (NextError(ApiKey.Metadata) is var error && error != ErrorCode.None) throw new OrleansLogException(error, "The metadata failed.");
            var names = request.Topics?.Select(topic => topic.Name ?? NameOf(topic.TopicId)) ?? _topics.Keys;
            return new MetadataResponse
            {
                Brokers = [.. Brokers.Select(id => new MetadataResponse.MetadataResponseBroker { NodeId = id, Host = $"b{id}", Port = 9092, Rack = Racks.GetValueOrDefault(id) })],
                ClusterId = "fake",
                ControllerId = Brokers[0],
                Topics = [.. names.Select(Describe)],
            };
        }
    }

    private string NameOf(Guid id) => _topics.FirstOrDefault(topic => topic.Value.Id == id).Key ?? "";

    private MetadataResponse.MetadataResponseTopic Describe(string name)
    {
        if (!_topics.TryGetValue(name, out var topic)) return new() { Name = name, ErrorCode = ErrorCode.UnknownTopicOrPartition };
        return new()
        {
            Name = name,
            TopicId = topic.Id,
            Partitions = [.. topic.Partitions.Select((log, i) => new MetadataResponse.MetadataResponsePartition
            {
                PartitionIndex = i,
                LeaderId = log.Leader,
                LeaderEpoch = log.LeaderEpoch,
                ReplicaNodes = [log.Leader, .. log.Followers.Keys],
                IsrNodes = [log.Leader, .. log.Followers.Keys],
            })],
        };
    }

    private ProduceResponse Produce(int broker, ProduceRequest request)
    {
        var response = new ProduceResponse();
        foreach (var topic in request.TopicData)
        {
            response.Responses.Add(new ProduceResponse.TopicProduceResponse
            {
                Name = topic.Name,
                PartitionResponses = [.. topic.PartitionData.Select(partition => Produce(broker, topic.Name, partition))],
            });
        }
        return response;
    }

    private ProduceResponse.PartitionProduceResponse Produce(int broker, string topic, ProduceRequest.PartitionProduceData partition)
    {
        var answer = new ProduceResponse.PartitionProduceResponse { Index = partition.Index, BaseOffset = -1 };
        var log = Log(topic, partition.Index);
        answer.ErrorCode = NextError(ApiKey.Produce) is var error && error != ErrorCode.None ? error
            : log.Leader != broker ? ErrorCode.NotLeaderOrFollower
            : partition.Records!.Value.Length > MessageBytesMax ? ErrorCode.MessageTooLarge
            : RecordBatch.Validate(partition.Records!.Value.Span);
        if (answer.ErrorCode == ErrorCode.None) answer.ErrorCode = log.CheckProducer(partition.Records!.Value.Span);
        if (answer.ErrorCode != ErrorCode.None) return answer;
        answer.BaseOffset = log.EndOffset;
        AppendBatch(topic, partition.Index, partition.Records!.Value);
        // What is stored may still be answered with an error, or not at all.
        answer.ErrorCode = log.ErrorsAfterAppend.TryDequeue(out var lost) ? lost : ErrorCode.None;
        return answer;
    }

    private async ValueTask<FetchResponse> FetchAsync(int broker, FetchRequest request, short version, CancellationToken cancellationToken)
    {
        var due = Clock is null ? Task.Delay(Timeout.Infinite, cancellationToken) : Task.Delay(TimeSpan.FromMilliseconds(request.MaxWaitMs), Clock, cancellationToken);
        while (true)
        {
            Task appended;
            lock (_gate)
            {
                var response = Fetch(broker, request, version);
                var hasNews = response.Responses.Exists(topic => topic.Partitions.Exists(p => p.ErrorCode != ErrorCode.None || p.PreferredReadReplica >= 0 || p.Records is { IsEmpty: false }));
                if (hasNews || due.IsCompleted) return response;
                appended = _appended.Task;
            }
            await (await Task.WhenAny(appended, due));
        }
    }

    private FetchResponse Fetch(int broker, FetchRequest request, short version) => new()
    {
        Responses = [.. request.Topics.Select(topic =>
        {
            var name = version >= 13 ? _topics.First(pair => pair.Value.Id == topic.TopicId).Key : topic.Topic;
            return new FetchResponse.FetchableTopicResponse
            {
                Topic = name,
                TopicId = topic.TopicId,
                Partitions = [.. topic.Partitions.Select(partition => Fetch(broker, Log(name, partition.Partition), partition, request.RackId))],
            };
        })],
    };

    private FetchResponse.PartitionData Fetch(int broker, FakeLog log, FetchRequest.FetchPartition partition, string rack)
    {
        var endOffset = log.Followers.GetValueOrDefault(broker, log.EndOffset);
        var answer = new FetchResponse.PartitionData { PartitionIndex = partition.Partition, HighWatermark = endOffset };
        answer.ErrorCode = NextError(ApiKey.Fetch) is var error && error != ErrorCode.None ? error
            : log.Leader != broker && !log.Followers.ContainsKey(broker) ? ErrorCode.NotLeaderOrFollower
            : partition.CurrentLeaderEpoch >= 0 && partition.CurrentLeaderEpoch < log.LeaderEpoch ? ErrorCode.FencedLeaderEpoch
            : partition.FetchOffset < log.StartOffset || partition.FetchOffset > endOffset ? ErrorCode.OffsetOutOfRange
            : ErrorCode.None;
        answer.PreferredReadReplica = answer.ErrorCode == ErrorCode.None && log.Leader == broker && rack.Length > 0 ? NearReplica(log, rack) : -1;
        if (answer.PreferredReadReplica >= 0) return answer;
        answer.Records = answer.ErrorCode == ErrorCode.None ? log.Read(partition.FetchOffset, partition.PartitionMaxBytes) : default(ReadOnlyMemory<byte>?);
        return answer;
    }

    private int NearReplica(FakeLog log, string rack)
    {
        foreach (var follower in log.Followers.Keys)
            if (Racks.GetValueOrDefault(follower) == rack) return follower;
        return -1;
    }

    private ListOffsetsResponse ListOffsets(ListOffsetsRequest request) => new()
    {
        Topics = [.. request.Topics.Select(topic => new ListOffsetsResponse.ListOffsetsTopicResponse
        {
            Name = topic.Name,
            Partitions = [.. topic.Partitions.Select(partition => new ListOffsetsResponse.ListOffsetsPartitionResponse
            {
                PartitionIndex = partition.PartitionIndex,
                Offset = Log(topic.Name, partition.PartitionIndex).Find(partition.Timestamp),
            })],
        })],
    };

    private InitProducerIdResponse InitProducerId()
    {
        var error = NextError(ApiKey.InitProducerId);
        return error == ErrorCode.None ? new() { ProducerId = ++_lastProducerId, ProducerEpoch = 0 } : new() { ErrorCode = error };
    }

    private CreateTopicsResponse CreateTopics(CreateTopicsRequest request) => new()
    {
        Topics = [.. request.Topics.Select(topic =>
        {
            var error = NextError(ApiKey.CreateTopics);
            if (error == ErrorCode.None) CreateTopic(topic.Name, topic.NumPartitions);
            return new CreateTopicsResponse.CreatableTopicResult { Name = topic.Name, ErrorCode = error };
        })],
    };
}

public sealed record FakeTopic(Guid Id, List<FakeLog> Partitions);

/// <summary>The batches of one partition.</summary>
public sealed class FakeLog
{
    private readonly List<byte[]> _batches = [];
    private readonly Dictionary<long, (short Epoch, int Last)> _producers = [];

    public int Leader { get; set; }
    public int LeaderEpoch { get; set; }

    /// <summary>The brokers that hold it beside the leader, and up to which offset each lets readers read.</summary>
    public SortedDictionary<int, long> Followers { get; } = [];

    public long StartOffset { get; private set; }
    public long EndOffset { get; private set; }

    /// <summary>How many records each batch has.</summary>
    public IEnumerable<int> BatchSizes => _batches.Select(batch => Header(batch).RecordCount);

    public IEnumerable<RecordBatchHeader> Headers => _batches.Select(Header);

    /// <summary>The values of all records, in order.</summary>
    public List<string> Values => [.. _batches.SelectMany(ClientRecords.Values)];

    public void Append(ReadOnlyMemory<byte> batch)
    {
        var copy = batch.ToArray();
        RecordBatch.AssignOffset(copy, new Offset(EndOffset), new LeaderEpoch(LeaderEpoch));
        _batches.Add(copy);
        EndOffset = Header(copy).NextOffset.Value;
    }

    /// <summary>What the next appends are answered with although their records are stored.</summary>
    public Queue<ErrorCode> ErrorsAfterAppend { get; } = new();

    /// <summary>Whether a batch follows on its producer's last, as far as one number tells.</summary>
    public ErrorCode CheckProducer(ReadOnlySpan<byte> batch)
    {
        RecordBatchHeader.TryRead(batch, out var header);
        if (header.ProducerId < 0) return ErrorCode.None;
        var known = _producers.GetValueOrDefault(header.ProducerId, (Epoch: header.ProducerEpoch, Last: header.BaseSequence - 1));
        if (header.ProducerEpoch < known.Epoch) return ErrorCode.InvalidProducerEpoch;
        var expected = header.ProducerEpoch == known.Epoch ? known.Last + 1 : 0;
        if (header.BaseSequence < expected) return ErrorCode.DuplicateSequenceNumber;
        if (header.BaseSequence > expected) return ErrorCode.OutOfOrderSequenceNumber;
        _producers[header.ProducerId] = (header.ProducerEpoch, header.BaseSequence + header.LastOffsetDelta);
        return ErrorCode.None;
    }

    /// <summary>Takes records away from a producer, as if the leader had lost them.</summary>
    public void SetLastSequence(long producerId, short epoch, int last) => _producers[producerId] = (epoch, last);

    public void DeleteBefore(long offset)
    {
        _batches.RemoveAll(batch => Header(batch).NextOffset.Value <= offset);
        StartOffset = offset;
    }

    /// <summary>Flips a bit of the last batch's records.</summary>
    public void Damage() => _batches[^1][^1] ^= 1;

    public ReadOnlyMemory<byte> Read(long from, int bytesMax)
    {
        var found = new List<byte>();
        foreach (var batch in _batches.Where(batch => Header(batch).LastOffset.Value >= from))
        {
            if (found.Count > 0 && found.Count + batch.Length > bytesMax) break;
            found.AddRange(batch);
        }
        return found.ToArray();
    }

    public long Find(long timestamp) => timestamp switch
    {
        -1 => EndOffset,
        -2 => StartOffset,
        _ => Headers.FirstOrDefault(header => header.MaxTimestamp >= timestamp) is { RecordCount: > 0 } header ? header.BaseOffset.Value : -1,
    };

    private static RecordBatchHeader Header(byte[] batch)
    {
        RecordBatchHeader.TryRead(batch, out var header);
        return header;
    }
}
