using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Providers.Streams.Common;
using Orleans.Runtime;
using Orleans.Serialization;
using Orleans.Streams;
using OrleansLog.Protocol;

namespace OrleansLog.Client.Orleans.Streams;

/// <summary>The streams of one provider on the partitions of one topic.</summary>
internal sealed class LogStreamAdapter : IQueueAdapterFactory, IQueueAdapter, IQueueAdapterCache, IAsyncDisposable
{
    private readonly ConcurrentDictionary<QueueId, StreamReceiver> _receivers = [];
    private readonly LogStreamOptions _options;
    private readonly OrleansLogClient _log;
    private readonly bool _ownsLog;
    private readonly Serializer _serializer;
    private readonly ILoggerFactory _loggers;
    private readonly TimeProvider _time;
    private readonly StreamQueues _queues;
    private readonly Producer _producer;
    private readonly string _topic;
    private Task? _topicReady;

    private LogStreamAdapter(string name, LogStreamOptions options, IServiceProvider services)
    {
        (Name, _options, _topic) = (name, options, options.Topic ?? name);
        _serializer = services.GetRequiredService<Serializer>();
        _loggers = services.GetRequiredService<ILoggerFactory>();
        _time = services.GetService<TimeProvider>() ?? TimeProvider.System;
        _ownsLog = options.BootstrapServers is not null;
        _log = options.BootstrapServers is { } brokers
            ? new OrleansLogClient(new ClientOptions { BootstrapServers = brokers }, _loggers, _time)
            : services.GetRequiredService<OrleansLogClient>();
        _queues = new StreamQueues(_topic, options.Partitions);
        _producer = _log.CreateProducer(new ProducerOptions { AllowTopicCreation = false });
    }

    public string Name { get; }

    public bool IsRewindable => true;

    public StreamProviderDirection Direction => StreamProviderDirection.ReadWrite;

    public static LogStreamAdapter Create(IServiceProvider services, string name) =>
        new(name, services.GetRequiredService<IOptionsMonitor<LogStreamOptions>>().Get(name), services);

    /// <summary>Completes when the events are on as many brokers as must have them. They are one record: no other event comes between.</summary>
    /// <exception cref="OrleansLogException">They were not written, or it is not known whether they were.</exception>
    public async Task QueueMessageBatchAsync<T>(StreamId streamId, IEnumerable<T> events, StreamSequenceToken? token, Dictionary<string, object>? requestContext)
    {
        if (token is not null) throw new ArgumentException("Events get their tokens from the log: publish them without.", nameof(token));
        await EnsureTopicAsync();
        await Write(streamId, [.. events], requestContext);
    }

    public IQueueCache CreateQueueCache(QueueId queueId) => (_receivers[queueId] = CreateNewReceiver(queueId)).Cache;

    // The agent asks for the cache first.
    public IQueueAdapterReceiver CreateReceiver(QueueId queueId) => _receivers[queueId];

    public Task<IQueueAdapter> CreateAdapter() => Task.FromResult<IQueueAdapter>(this);

    public IQueueAdapterCache GetQueueAdapterCache() => this;

    public IStreamQueueMapper GetStreamQueueMapper() => _queues;

    public Task<IStreamFailureHandler> GetDeliveryFailureHandler(QueueId queueId) => Task.FromResult<IStreamFailureHandler>(new NoOpStreamDeliveryFailureHandler());

    public async ValueTask DisposeAsync()
    {
        await _producer.DisposeAsync();
        if (_ownsLog) await _log.DisposeAsync();
    }

    private StreamReceiver CreateNewReceiver(QueueId queue)
    {
        var logger = _loggers.CreateLogger<StreamReceiver>();
        var group = _log.CreateConsumer(new ConsumerOptions { GroupId = _options.ConsumerGroup ?? $"streams-{_topic}", Commit = CommitMode.Manual });
        var source = new StreamSource(_log, new TopicPartition(_topic, (int)queue.GetNumericId()), _serializer, logger);
        return new StreamReceiver(source, group, _options.CacheBytesMax, EnsureTopicAsync, _time, logger);
    }

    private ValueTask<RecordMetadata> Write<T>(StreamId stream, T[] events, Dictionary<string, object>? requestContext)
    {
        var key = StreamRecord.KeyOf(stream);
        var context = requestContext is { Count: > 0 } ? _serializer.SerializeToArray(requestContext) : null;
        return _producer.ProduceAsync(_topic, new OutgoingRecord
        {
            Key = key,
            HasKey = true,
            Value = _serializer.SerializeToArray(Array.ConvertAll(events, item => (object?)item)),
            Partition = _queues.PartitionOf(key),
            Headers = StreamRecord.HeadersFor(context),
        });
    }

    // What failed is tried again by whoever needs the topic next.
    private Task EnsureTopicAsync()
    {
        lock (_receivers)
        {
            if (_topicReady is null or { IsFaulted: true } or { IsCanceled: true }) _topicReady = Task.Run(CreateTopicAsync);
            return _topicReady;
        }
    }

    private async Task CreateTopicAsync()
    {
        var created = (await _log.Admin.CreateTopicsAsync([new NewTopic(_topic, _options.Partitions, _options.ReplicationFactor)]))[0];
        if (created.Error != ErrorCode.TopicAlreadyExists)
        {
            created.ThrowIfFailed("create topic");
            return;
        }
        var count = (await _log.Admin.DescribeTopicAsync(_topic)).Partitions.Count;
        if (count != _options.Partitions)
            throw new OrleansLogException(ErrorCode.InvalidPartitions,
                $"Topic '{_topic}' has {count} partitions and the stream provider '{Name}' is set to {_options.Partitions}. Set Partitions to {count}, or choose another topic.");
    }
}
