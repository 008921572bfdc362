using System.Buffers;
using System.Collections.Immutable;
using OrleansLog.Client;
using OrleansLog.Client.Transport;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.UnitTests.Client;

/// <summary>
/// A cluster in memory, behind the client's transport port: no sockets, no threads, no time but what a test gives it. It
/// answers at once unless a test holds it back, and fails as it is told to.
/// </summary>
public sealed partial class FakeCluster : IClusterTransport
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ApiKey, Queue<ErrorCode>> _errors = [];
    private readonly Dictionary<ApiKey, TaskCompletionSource> _holds = [];
    private readonly HashSet<int> _unreachable = [];
    private readonly Dictionary<ApiKey, Func<int, Body, ResponseFrame>> _scripts = [];

    public FakeCluster(params int[] brokers) => Brokers = [.. brokers.Length == 0 ? [1] : brokers];

    public ImmutableArray<int> Brokers { get; set; }

    /// <summary>Ends fetches that have waited as long as they may; without it they wait until something is appended.</summary>
    public TimeProvider? Clock { get; init; }

    /// <summary>Every request, in the order of arrival.</summary>
    public List<(int Broker, ApiKey Api, short Version)> Requests { get; } = [];

    /// <summary>The highest version of an API that the brokers speak, where that is not the highest known.</summary>
    public Dictionary<ApiKey, short> VersionMax { get; } = [];

    /// <summary>Speaks as Apache Kafka 2.4 does, which knows no flexible versions of most requests and no topic ids.</summary>
    public FakeCluster As24()
    {
        (ApiKey Api, short Max)[] spoken =
        [
            (ApiKey.Produce, 8), (ApiKey.Fetch, 11), (ApiKey.ListOffsets, 5), (ApiKey.Metadata, 9), (ApiKey.OffsetCommit, 8), (ApiKey.OffsetFetch, 6),
            (ApiKey.FindCoordinator, 3), (ApiKey.JoinGroup, 6), (ApiKey.Heartbeat, 4), (ApiKey.LeaveGroup, 4), (ApiKey.SyncGroup, 4), (ApiKey.CreateTopics, 5),
        ];
        foreach (var (api, max) in spoken) VersionMax[api] = max;
        return this;
    }

    /// <summary>Speaks the lowest version of everything that brokers still speak (KIP-896).</summary>
    public FakeCluster AsOldest()
    {
        foreach (var range in Apis.All) VersionMax[range.Key] = range.Min;
        VersionMax[ApiKey.Metadata] = 1;
        return this;
    }

    /// <summary>What the brokers do not speak at all.</summary>
    public HashSet<ApiKey> Unknown { get; } = [];

    /// <summary>Answers one kind of request as a test says, given the broker that was asked.</summary>
    public void Answer<TRequest, TResponse>(Func<int, TRequest, TResponse> answer)
        where TRequest : class, IRequest<TResponse>, new()
        where TResponse : class, IResponse, new() =>
        _scripts[TRequest.Api] = (broker, body) => body.Answer(answer(broker, body.Read<TRequest>()));

    /// <summary>The requests so far, in the order of arrival.</summary>
    public IReadOnlyList<(int Broker, ApiKey Api, short Version)> RequestsSoFar()
    {
        lock (_gate) return [.. Requests];
    }

    public int Count(ApiKey api)
    {
        lock (_gate) return Requests.Count(request => request.Api == api);
    }

    /// <summary>Makes the next answers to an API fail, one error each.</summary>
    public void FailNext(ApiKey api, params ErrorCode[] errors)
    {
        lock (_gate)
        {
            if (!_errors.TryGetValue(api, out var queue)) _errors[api] = queue = new Queue<ErrorCode>();
            foreach (var error in errors) queue.Enqueue(error);
        }
    }

    /// <summary>Keeps answers to an API back from now on.</summary>
    public void Hold(ApiKey api)
    {
        lock (_gate) _holds[api] = new TaskCompletionSource();
    }

    /// <summary>Lets the answers go that were kept back. What they set off runs on this thread, before it returns.</summary>
    public void Release(ApiKey api)
    {
        TaskCompletionSource? hold;
        lock (_gate) _holds.Remove(api, out hold);
        hold?.SetResult();
    }

    public void Disconnect(int broker) => _unreachable.Add(broker);

    public void Reconnect(int broker) => _unreachable.Remove(broker);

    public async ValueTask<ResponseFrame> SendAsync(BrokerId broker, Lane lane, OutgoingRequest request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var id = broker == BrokerId.None ? Brokers[0] : broker.Value;
        if (!Brokers.Contains(id) || _unreachable.Contains(id))
            throw new OrleansLogException(ErrorCode.NetworkException, $"Broker {id} is not reachable.");
        if (Unknown.Contains(request.Api)) throw new OrleansLogException(ErrorCode.UnsupportedVersion, $"Broker {id} speaks no {request.Api}.");
        var version = Math.Min(request.VersionMax, VersionMax.GetValueOrDefault(request.Api, short.MaxValue));
        using var frame = new FrameBuilder();
        request.WriteBody(version, frame);
        var body = frame.ToArray()[..];
        Task? hold;
        lock (_gate)
        {
            Requests.Add((id, request.Api, version));
            hold = _holds.GetValueOrDefault(request.Api)?.Task;
        }
        if (hold is not null) await hold.WaitAsync(cancellationToken);
        var response = await AnswerAsync(id, request.Api, new Body(version, request.Api, body), cancellationToken);
        return request.ExpectsResponse ? response : ResponseFrame.None;
    }

    public ValueTask<(short Min, short Max)?> FindVersionsAsync(BrokerId broker, Lane lane, ApiKey api, CancellationToken cancellationToken) =>
        new(Apis.Find(api) is { } range ? (range.Min, range.Max) : null);

    public void LearnBrokers(IReadOnlyList<BrokerNode> brokers)
    {
    }

    public void CloseLane(Lane lane)
    {
    }

    public ValueTask DisposeAsync() => default;

    private async ValueTask<ResponseFrame> AnswerAsync(int broker, ApiKey api, Body body, CancellationToken cancellationToken) => api switch
    {
        _ when _scripts.TryGetValue(api, out var script) => script(broker, body),
        ApiKey.Metadata => body.Answer(Metadata(body.Read<MetadataRequest>())),
        ApiKey.Produce => body.Answer(Produce(broker, body.Read<ProduceRequest>())),
        ApiKey.Fetch => body.Answer(await FetchAsync(broker, body.Read<FetchRequest>(), body.Version, cancellationToken)),
        ApiKey.ListOffsets => body.Answer(ListOffsets(body.Read<ListOffsetsRequest>())),
        ApiKey.FindCoordinator => body.Answer(FindCoordinator()),
        ApiKey.JoinGroup => body.Answer(await JoinAsync(body.Read<JoinGroupRequest>(), cancellationToken)),
        ApiKey.SyncGroup => body.Answer(await SyncAsync(body.Read<SyncGroupRequest>(), cancellationToken)),
        ApiKey.Heartbeat => body.Answer(Beat(body.Read<HeartbeatRequest>())),
        ApiKey.LeaveGroup => body.Answer(Leave(body.Read<LeaveGroupRequest>())),
        ApiKey.OffsetCommit => body.Answer(Commit(body.Read<OffsetCommitRequest>())),
        ApiKey.OffsetFetch => body.Answer(FetchOffsets(body.Read<OffsetFetchRequest>())),
        ApiKey.InitProducerId => body.Answer(InitProducerId()),
        ApiKey.CreateTopics => body.Answer(CreateTopics(body.Read<CreateTopicsRequest>())),
        _ => throw new InvalidOperationException($"The fake cluster does not answer {api}."),
    };

    private ErrorCode NextError(ApiKey api)
    {
        lock (_gate) return _errors.TryGetValue(api, out var queue) && queue.TryDequeue(out var error) ? error : ErrorCode.None;
    }

    private readonly record struct Body(short Version, ApiKey Api, byte[] Bytes)
    {
        private bool IsFlexible => Apis.IsFlexible(Api, Version);

        public T Read<T>() where T : class, IMessage, new()
        {
            var reader = new WireReader(Bytes, Version, IsFlexible);
            return reader.Read<T>();
        }

        public ResponseFrame Answer<T>(T message) where T : class, IMessage
        {
            var output = new ArrayBufferWriter<byte>();
            var writer = new WireWriter(output, Version, IsFlexible);
            writer.Write(message);
            writer.Flush();
            return new ResponseFrame(Version, output.WrittenSpan.ToArray());
        }
    }
}
