using OrleansLog.Kafka.Apis;
using OrleansLog.Kafka.Connections;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;
using ApiCatalogue = OrleansLog.Protocol.Wire.Apis;

namespace OrleansLog.Kafka.Requests;

/// <summary>
/// Finds who answers a request. The two hot APIs parse their requests in place and write their responses by hand; every
/// other one is a function from a message to a message. What is registered here is what ApiVersions advertises.
/// </summary>
internal sealed class ApiDispatcher
{
    // What changes topics or moves their replicas; groups, reads and writes go where the client sends them.
    private static readonly HashSet<ApiKey> ForController =
    [
        ApiKey.CreateTopics, ApiKey.DeleteTopics, ApiKey.CreatePartitions, ApiKey.AlterConfigs, ApiKey.IncrementalAlterConfigs,
        ApiKey.AlterPartitionReassignments, ApiKey.ElectLeaders, ApiKey.UnregisterBroker,
    ];

    // Says that producers get a new epoch with each transaction (KIP-890).
    private const string TransactionVersion = "transaction.version";

    // Says that there are share groups (KIP-932).
    private const string ShareVersion = "share.version";

    private readonly Dictionary<ApiKey, Api> _apis = [];
    private IRequestForwarder? _forwarder;

    private delegate ValueTask<ResponseFrame?> Handler(RequestContext context, ref WireReader body);

    /// <param name="broker">Who answers.</param>
    /// <param name="forwarder">Takes what is for the controller; null where this broker handles that itself.</param>
    public static ApiDispatcher For(Broker.Broker broker, IRequestForwarder? forwarder)
    {
        var dispatcher = new ApiDispatcher { _forwarder = forwarder };
        var produce = new ProduceApi(broker);
        var fetch = new FetchApi(broker);
        dispatcher.RegisterInPlace(ApiKey.Produce, produce.HandleAsync);
        dispatcher.RegisterInPlace(ApiKey.Fetch, fetch.HandleAsync);
        dispatcher.RegisterInPlace(ApiKey.ShareFetch, new ShareFetchApi(broker).HandleAsync);
        dispatcher.Register<ApiVersionsRequest, ApiVersionsResponse>((_, _) => new(dispatcher.DescribeVersions(ErrorCode.None)));
        new MetadataApi(broker).Register(dispatcher);
        new OffsetsApi(broker).Register(dispatcher);
        new TopicsApi(broker).Register(dispatcher);
        new ConfigsApi(broker).Register(dispatcher);
        new ClusterApi(broker).Register(dispatcher);
        new ReplicasApi(broker).Register(dispatcher);
        new GroupsApi(broker).Register(dispatcher);
        new ShareGroupsApi(broker).Register(dispatcher);
        new TransactionsApi(broker).Register(dispatcher);
        return dispatcher;
    }

    /// <summary>
    /// Starts a request. When this returns, all that must happen in the order of arrival has happened, and
    /// <paramref name="frame"/> is no longer needed. A null response means that none is sent.
    /// </summary>
    /// <exception cref="MalformedMessageException">The bytes are not a request.</exception>
    /// <exception cref="InvalidFrameException">The request is one that is not served.</exception>
    public ValueTask<ResponseFrame?> DispatchAsync(ReadOnlyMemory<byte> frame, ClientContext client)
    {
        var reader = new WireReader(frame);
        var header = RequestHeader.Read(ref reader);
        if (!_apis.TryGetValue(header.ApiKey, out var api))
            throw new InvalidFrameException($"Request {(short)header.ApiKey} ({header.ApiKey}) is not served here.");
        if (!api.Versions.Supports(header.ApiVersion))
            return RefuseVersion(header);
        KafkaMetrics.Taken(header.ApiKey);
        if (_forwarder is { Forwards: true } && ForController.Contains(header.ApiKey))
            return ForwardAsync(frame.ToArray(), client.Closed);
        var context = new RequestContext(header, client);
        if (api.ReadsInPlace)
            return api.Handle(context, ref reader);
        // Messages hold on to slices of what they were read from, and outlive the receive buffer.
        var copy = new WireReader(frame[reader.Position..].ToArray(), header.ApiVersion, api.Versions.IsFlexible(header.ApiVersion));
        return api.Handle(context, ref copy);
    }

    /// <summary>Registers an API by its messages.</summary>
    public void Register<TRequest, TResponse>(Func<TRequest, RequestContext, ValueTask<TResponse>> handle)
        where TRequest : class, IRequest<TResponse>, new()
        where TResponse : class, IResponse, new()
    {
        Add(TRequest.Api, readsInPlace: false, (RequestContext context, ref WireReader body) =>
            AnswerAsync(handle(body.Read<TRequest>(), context), context.Header));
    }

    private void RegisterInPlace(ApiKey key, Handler handle) => Add(key, readsInPlace: true, handle);

    private void Add(ApiKey key, bool readsInPlace, Handler handle) =>
        _apis.Add(key, new Api(ApiCatalogue.Find(key) ?? throw new ArgumentException($"{key} has no layout", nameof(key)), readsInPlace, handle));

    private async ValueTask<ResponseFrame?> ForwardAsync(byte[] request, CancellationToken cancellationToken) =>
        ResponseFrame.Of((await _forwarder!.ForwardAsync(request, cancellationToken)).Span);

    private static async ValueTask<ResponseFrame?> AnswerAsync<TResponse>(ValueTask<TResponse> pending, RequestHeader header)
        where TResponse : class, IResponse
    {
        return Encode(await pending, header);
    }

    private static ResponseFrame Encode<TResponse>(TResponse response, RequestHeader header) where TResponse : class, IResponse
    {
        var frame = new ResponseFrame();
        var writer = new WireWriter(frame);
        new ResponseHeader(header.CorrelationId).Write(ref writer, header.ApiKey, header.ApiVersion);
        writer.Write(response);
        writer.Flush();
        return frame.Complete();
    }

    /// <summary>
    /// A client newer than this broker asks for its versions in one that is not known here; the answer in version 0 lets
    /// it choose again (KIP-511). Any other unsupported version is a client that did not ask.
    /// </summary>
    private ValueTask<ResponseFrame?> RefuseVersion(RequestHeader header)
    {
        if (header.ApiKey != ApiKey.ApiVersions)
            throw new InvalidFrameException($"{header.ApiKey} is not served in version {header.ApiVersion}.");
        return new(Encode(DescribeVersions(ErrorCode.UnsupportedVersion), header with { ApiVersion = 0 }));
    }

    private ApiVersionsResponse DescribeVersions(ErrorCode error) => new()
    {
        ErrorCode = error,
        ApiKeys = [.. _apis.Values.OrderBy(api => api.Versions.Key).Select(api => new ApiVersionsResponse.ApiVersion
        {
            ApiKey = (short)api.Versions.Key,
            MinVersion = api.Versions.AdvertisedMin,
            MaxVersion = api.Versions.Max,
        })],
        SupportedFeatures = [new() { Name = TransactionVersion, MinVersion = 0, MaxVersion = 2 }, new() { Name = ShareVersion, MinVersion = 0, MaxVersion = 1 }],
        FinalizedFeaturesEpoch = 0,
        FinalizedFeatures =
        [
            new() { Name = TransactionVersion, MinVersionLevel = 2, MaxVersionLevel = 2 },
            new() { Name = ShareVersion, MinVersionLevel = 1, MaxVersionLevel = 1 },
        ],
    };

    private sealed record Api(ApiVersionRange Versions, bool ReadsInPlace, Handler Handle);
}
