using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansLog.Broker;
using OrleansLog.Broker.Clustered;
using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Files;
using OrleansLog.Broker.Metadata;
using OrleansLog.Kafka;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Replication.Brokers;
using OrleansLog.Replication.Messages;
using OrleansLog.Replication.Metadata;
using OrleansLog.Storage;

namespace OrleansLog.UnitTests.Support;

/// <summary>
/// Brokers as they stand in processes of their own, each with its own idea of the cluster, here with a call for the network
/// and the test for the membership.
/// </summary>
internal sealed class MemberCluster : IScriptedCluster, IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("orleanslog-members-");
    private readonly PhysicalFileSystem _files = new();
    private readonly FileMetadataRegister _register;
    private readonly ConcurrentDictionary<BrokerId, Member> _members = new();
    private long _starts;

    public MemberCluster() => _register = FileMetadataRegister.Open(_files, Path.Combine(_directory.FullName, "register"));

    public ClusteredBroker this[int id] => _members[new(id)].Broker;

    public static async Task<MemberCluster> StartAsync(int brokers)
    {
        var cluster = new MemberCluster();
        for (var id = 0; id < brokers; id++)
            await cluster.StartBrokerAsync(id);
        return cluster;
    }

    /// <summary>Starts a broker; the others learn of it.</summary>
    public async Task StartBrokerAsync(int id)
    {
        var broker = new BrokerId(id);
        var listener = KafkaServer.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var endPoint = (IPEndPoint)listener.LocalEndPoint!;
        var options = new BrokerOptions
        {
            DataDirectory = Path.Combine(_directory.FullName, $"data-{id}"),
            Brokers = [new BrokerAddress("127.0.0.1", endPoint.Port)],
            Config = ConfigValues.Empty.With(ConfigSource.StaticBroker, "offsets.topic.num.partitions", "1"),
            Serve = opened => KafkaServer.Start(listener, opened, TimeProvider.System, NullLogger<KafkaServer>.Instance),
        };
        var opened = await ClusteredBroker.OpenAsync(
            broker, options, _files, _register, to => new Wire(this, to), TimeProvider.System, NullLoggerFactory.Instance, default);
        _members[broker] = new(opened, endPoint, ++_starts);
        await opened.ObserveAsync(Living(), default);
        await opened.JoinAsync(default);
        await TellMembershipAsync();
    }

    /// <summary>Ends a broker that hands nothing over; the others learn of it.</summary>
    public async Task EndAsync(BrokerId id)
    {
        _members.TryRemove(id, out var member);
        await member!.Broker.DisposeAsync();
        await TellMembershipAsync();
    }

    public Task<TestClient> ConnectAsync(BrokerId id) => TestClient.ConnectAsync(_members[id].EndPoint);

    /// <summary>Waits until every broker's image of a partition is as it should be.</summary>
    public async Task<PartitionRecord> UntilAsync(string topic, Func<PartitionRecord, bool> isReached, int partition = 0)
    {
        for (var patience = Stopwatch.StartNew(); ; await Task.Yield())
        {
            var records = _members.Values.Select(member => member.Broker.Directory.Image.FindPartition(new(topic, partition))).ToList();
            if (records.TrueForAll(record => record is not null && isReached(record)))
                return records[0]!;
            Assert.True(patience.Elapsed < Patience, $"the brokers see {string.Join("; ", records)}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var member in _members.Values)
            await member.Broker.DisposeAsync();
        _register.Dispose();
        _files.Dispose();
        _directory.Delete(recursive: true);
    }

    private LivingBroker[] Living() => [.. _members.Select(each => new LivingBroker(each.Key, each.Value.Start))];

    private async Task TellMembershipAsync()
    {
        foreach (var member in _members.Values)
            await member.Broker.ObserveAsync(Living(), default);
    }

    private sealed record Member(ClusteredBroker Broker, IPEndPoint EndPoint, long Start);

    private sealed class Wire(MemberCluster cluster, BrokerId to) : IBrokerPeer
    {
        private IBrokerPeer Peer => cluster._members.TryGetValue(to, out var member) ? member.Broker : throw new IOException($"Broker {to} is not there.");

        public ValueTask<AppendReply> AppendAsync(AppendRequest request, CancellationToken cancellationToken) => Peer.AppendAsync(request, cancellationToken);

        public Task TellAsync(IReadOnlyList<RegisterNews> news, CancellationToken cancellationToken) => Peer.TellAsync(news, cancellationToken);

        public Task LeadPreferredAsync(TopicPartition partition, CancellationToken cancellationToken) => Peer.LeadPreferredAsync(partition, cancellationToken);

        public Task<EpochEndOffset?> FindLogEndAsync(TopicPartition partition, CancellationToken cancellationToken) => Peer.FindLogEndAsync(partition, cancellationToken);

        public Task<bool> LeadUncleanlyAsync(TopicPartition partition, CancellationToken cancellationToken) => Peer.LeadUncleanlyAsync(partition, cancellationToken);

        public Task<AddPartitionsToTxnResponse> AddPartitionsToTxnAsync(AddPartitionsToTxnRequest request, CancellationToken cancellationToken) =>
            Peer.AddPartitionsToTxnAsync(request, cancellationToken);

        public Task<WriteTxnMarkersResponse> WriteTxnMarkersAsync(WriteTxnMarkersRequest request, CancellationToken cancellationToken) =>
            Peer.WriteTxnMarkersAsync(request, cancellationToken);

        public Task<InitializeShareGroupStateResponse> InitializeShareStateAsync(InitializeShareGroupStateRequest request, CancellationToken cancellationToken) =>
            Peer.InitializeShareStateAsync(request, cancellationToken);

        public Task<ReadShareGroupStateResponse> ReadShareStateAsync(ReadShareGroupStateRequest request, CancellationToken cancellationToken) =>
            Peer.ReadShareStateAsync(request, cancellationToken);

        public Task<WriteShareGroupStateResponse> WriteShareStateAsync(WriteShareGroupStateRequest request, CancellationToken cancellationToken) =>
            Peer.WriteShareStateAsync(request, cancellationToken);

        public Task<DeleteShareGroupStateResponse> DeleteShareStateAsync(DeleteShareGroupStateRequest request, CancellationToken cancellationToken) =>
            Peer.DeleteShareStateAsync(request, cancellationToken);

        public Task<ReadShareGroupStateSummaryResponse> SummarizeShareStateAsync(ReadShareGroupStateSummaryRequest request, CancellationToken cancellationToken) =>
            Peer.SummarizeShareStateAsync(request, cancellationToken);

        public Task<ListOffsetsResponse> ListOffsetsAsync(ListOffsetsRequest request, CancellationToken cancellationToken) =>
            Peer.ListOffsetsAsync(request, cancellationToken);
    }
}
