using System.Diagnostics;
using System.Net;
using OrleansLog.Benchmarks.Clients;
using OrleansLog.Benchmarks.Clients.Kafka;
using OrleansLog.Benchmarks.Measuring;
using OrleansLog.Benchmarks.Peers;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Benchmarks.Scenarios;

/// <summary>
/// What group coordination takes, ours alone: the rebalance of one group of the consumer protocol (KIP-848) beside a
/// thousand others, commits of offsets on one broker, and how soon the groups of a killed broker are served again.
/// </summary>
internal static class Groups
{
    private const int GroupCount = 1_000, MembersPerGroup = 10, Partitions = 20, SampledGroups = 200;
    private const int CommitConnections = 8, CommitsInFlight = 64;
    private const string Topic = "groups";

    public static void Run(BenchmarkOptions options)
    {
        try
        {
            Rebalances(options);
            Failover(options);
        }
        catch (UnavailableException e)
        {
            Console.WriteLine(e.Message);
        }
    }

    private static void Rebalances(BenchmarkOptions options)
    {
        using var broker = new OrleansLogBroker(options).StartProcess(
            Path.Combine(options.DataDirectory, "groups"), options.FirstPort, 1, "--config", $"num.partitions={Partitions}").Broker;
        using var link = Open(broker.EndPoint);
        var watch = Stopwatch.StartNew();
        var groups = Enumerable.Range(0, GroupCount).Select(i => Group.Join(link, $"g{i}", MembersPerGroup)).ToList();
        Console.WriteLine($"{GroupCount} groups of {MembersPerGroup} members, {Partitions} partitions each, joined in {Text.Fixed(watch.Elapsed.TotalSeconds, 1)} s\n");

        var table = new Table("one group rebalances, its members answer at once", "median ms", "p99 ms", "heartbeats");
        var sample = groups.Take(SampledGroups).ToList();
        Measure(table, "a member joins", sample, group => group.JoinOne(link));
        Measure(table, "a member leaves", sample, group => group.LeaveOne(link));
        table.Print(Console.Out);
        Commits(options, broker.EndPoint);
    }

    private static void Measure(Table table, string what, List<Group> groups, Func<Group, int> rebalance)
    {
        var (times, beats) = (new List<double>(), new List<double>());
        foreach (var group in groups)
        {
            var began = Stopwatch.GetTimestamp();
            beats.Add(rebalance(group));
            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        times.Sort();
        table.Add(what, Text.Fixed(Statistics.Median(times), 1), Text.Fixed(times[(int)(times.Count * 0.99)], 1), Text.Fixed(Statistics.Median(beats), 0));
    }

    private static void Commits(BenchmarkOptions options, IPEndPoint endPoint)
    {
        var table = new Table($"offset commits, {CommitConnections} connections, {CommitsInFlight} requests in flight on each", "requests/s", "offsets/s");
        foreach (var partitions in new[] { 1, Partitions })
        {
            var rates = Enumerable.Range(0, options.Rounds).Select(_ => CommitFor(endPoint, partitions, options.Seconds)).ToList();
            table.Add($"{partitions} partitions in each request", Text.Fixed(Statistics.Median(rates), 0), Text.Fixed(Statistics.Median(rates) * partitions, 0));
        }

        table.Print(Console.Out);
    }

    private static double CommitFor(IPEndPoint endPoint, int partitions, double seconds)
    {
        var (watch, total) = (Stopwatch.StartNew(), 0L);
        var threads = Enumerable.Range(0, CommitConnections).Select(i => new Thread(() =>
            Interlocked.Add(ref total, CommitUntil(endPoint, $"committer-{i}", partitions, () => watch.Elapsed.TotalSeconds < seconds)))).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        return total / watch.Elapsed.TotalSeconds;
    }

    private static long CommitUntil(IPEndPoint endPoint, string group, int partitions, Func<bool> goesOn)
    {
        using var link = Open(endPoint);
        var (sent, answered) = (0L, 0L);
        while (goesOn() || answered < sent)
        {
            for (; goesOn() && sent - answered < CommitsInFlight; sent++)
            {
                link.Send(CommitRequest(group, partitions, sent), ApiKey.OffsetCommit, 9);
            }

            var error = link.Receive<OffsetCommitResponse>(ApiKey.OffsetCommit, 9).Topics[0].Partitions[0].ErrorCode;
            answered++;
            Require(error, "OffsetCommit");
        }

        return answered;
    }

    private static OffsetCommitRequest CommitRequest(string group, int partitions, long offset) => new()
    {
        GroupId = group,
        GenerationIdOrMemberEpoch = -1,
        Topics =
        [
            new()
            {
                Name = Topic,
                Partitions = [.. Enumerable.Range(0, partitions).Select(index => new OffsetCommitRequest.OffsetCommitRequestPartition { PartitionIndex = index, CommittedOffset = offset })],
            },
        ],
    };

    private static void Failover(BenchmarkOptions options)
    {
        using var cluster = new OrleansLogBroker(options).StartProcess(
            Path.Combine(options.DataDirectory, "failover"), options.FirstPort, 3, "--config", $"num.partitions={Partitions}").Broker;
        using (var link = Open(cluster.EndPoint))
        {
            AwaitCoordinator(link, "g0");
        }

        var (elected, served) = (new List<double>(), new List<double>());
        for (var round = 0; round < options.Rounds; round++)
        {
            var (leader, answer) = FailOver(options, cluster.EndPoint, round);
            elected.Add(leader);
            served.Add(answer);
        }

        var table = new Table($"one of three coordinators of {GroupCount} groups of {MembersPerGroup} members is killed", "median ms", "longest ms");
        table.Add("until its partition has another leader", Text.Fixed(Statistics.Median(elected), 0), Text.Fixed(elected.Max(), 0));
        table.Add("from then until that one serves the group", Text.Fixed(Statistics.Median(served), 0), Text.Fixed(served.Max(), 0));
        table.Print(Console.Out);
    }

    private static (double ElectedMs, double ServedMs) FailOver(BenchmarkOptions options, IPEndPoint first, int round)
    {
        using var link = Open(first);
        // Of the groups whose coordinator is not the broker that is asked, one is watched.
        var watched = Enumerable.Range(0, 1_000).Select(i => $"f{round}-{i}").First(group => AwaitCoordinator(link, group).NodeId != 0);
        var coordinator = AwaitCoordinator(link, watched);
        using (var there = Open(new IPEndPoint(IPAddress.Loopback, coordinator.Port)))
        {
            for (var i = 0; i < GroupCount; i++)
            {
                var name = i == 0 ? watched : $"{watched}-{i}";
                if (AwaitCoordinator(link, name).NodeId == coordinator.NodeId)
                {
                    Group.Join(there, name, MembersPerGroup);
                }
            }
        }

        var began = Stopwatch.GetTimestamp();
        Order(options, coordinator.NodeId, "kill");
        FindCoordinatorResponse.Coordinator next;
        do
        {
            next = AwaitCoordinator(link, watched);
        }
        while (next.NodeId == coordinator.NodeId);
        var elected = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        using var anew = Open(new IPEndPoint(IPAddress.Loopback, next.Port));
        while (anew.Ask(Group.Heartbeat(watched, $"{watched}-0", MembersPerGroup), ApiKey.ConsumerGroupHeartbeat, 1).ErrorCode is ErrorCode.NotCoordinator or ErrorCode.CoordinatorLoadInProgress)
        {
            Task.Delay(1).Wait();
        }

        var served = Stopwatch.GetElapsedTime(began).TotalMilliseconds - elected;
        Order(options, coordinator.NodeId, "start");
        return (elected, served);
    }

    private static void Order(BenchmarkOptions options, int broker, string action)
    {
        using var http = new HttpClient();
        using var answer = http.PostAsync(new Uri($"http://127.0.0.1:{options.HttpPort}/brokers/{broker}/{action}"), null).GetAwaiter().GetResult();
        answer.EnsureSuccessStatusCode();
    }

    private static MessageLink Open(IPEndPoint endPoint)
    {
        var link = new MessageLink(endPoint);
        // Makes the topics that are missing.
        for (var tries = 0; link.Ask(new MetadataRequest { Topics = [new() { Name = Topic }], AllowAutoTopicCreation = true }, ApiKey.Metadata, 12).Topics[0].ErrorCode != ErrorCode.None && tries < 1_000; tries++)
        {
            Task.Delay(10).Wait();
        }

        return link;
    }

    private static FindCoordinatorResponse.Coordinator AwaitCoordinator(MessageLink link, string group)
    {
        while (true)
        {
            var found = link.Ask(new FindCoordinatorRequest { CoordinatorKeys = [group] }, ApiKey.FindCoordinator, 4).Coordinators[0];
            if (found.ErrorCode == ErrorCode.None)
            {
                return found;
            }

            Task.Delay(1).Wait();
        }
    }

    private static void Require(ErrorCode error, string what)
    {
        if (error != ErrorCode.None)
        {
            throw new BrokerException($"{what}: {error}");
        }
    }

    /// <summary>The members of one group, all on one connection, each of which answers at once what it is told.</summary>
    private sealed class Group(string id)
    {
        private readonly List<Member> _members = [];
        private int _names;

        private sealed class Member(string id)
        {
            public string Id => id;
            public int Epoch { get; set; }
            public List<ConsumerGroupHeartbeat.TopicPartitions> Owned { get; set; } = [];
            public int Count => Owned.Sum(topic => topic.Partitions.Count);
        }

        public static Group Join(MessageLink link, string id, int members)
        {
            AwaitCoordinator(link, id);
            var group = new Group(id);
            for (var i = 0; i < members; i++)
            {
                group.Add(link);
            }

            group.Settle(link);
            return group;
        }

        public static ConsumerGroupHeartbeatRequest Heartbeat(string group, string member, int epoch) =>
            new() { GroupId = group, MemberId = member, MemberEpoch = epoch };

        /// <summary>How many heartbeats it took.</summary>
        public int JoinOne(MessageLink link)
        {
            Add(link);
            return 1 + Settle(link);
        }

        public int LeaveOne(MessageLink link)
        {
            link.Ask(Heartbeat(id, _members[0].Id, ConsumerGroupHeartbeatRequest.LeaveEpoch), ApiKey.ConsumerGroupHeartbeat, 1);
            _members.RemoveAt(0);
            return 1 + Settle(link);
        }

        private void Add(MessageLink link)
        {
            var member = new Member($"{id}-{_names++}");
            _members.Add(member);
            Beat(link, member, new ConsumerGroupHeartbeatRequest { RebalanceTimeoutMs = 60_000, SubscribedTopicNames = [Topic], TopicPartitions = [] });
        }

        private int Settle(MessageLink link)
        {
            for (var beats = 0; ;)
            {
                foreach (var member in _members)
                {
                    Beat(link, member, new ConsumerGroupHeartbeatRequest { TopicPartitions = member.Owned });
                    beats++;
                }

                if (_members.TrueForAll(member => member.Epoch == _members[0].Epoch) && _members.Sum(member => member.Count) == Partitions)
                {
                    return beats;
                }
            }
        }

        private void Beat(MessageLink link, Member member, ConsumerGroupHeartbeatRequest request)
        {
            (request.GroupId, request.MemberId, request.MemberEpoch) = (id, member.Id, member.Epoch);
            var answer = link.Ask(request, ApiKey.ConsumerGroupHeartbeat, 1);
            // While the first elections are under way.
            while (answer.ErrorCode is ErrorCode.CoordinatorLoadInProgress or ErrorCode.NotCoordinator or ErrorCode.CoordinatorNotAvailable)
            {
                Task.Delay(5).Wait();
                answer = link.Ask(request, ApiKey.ConsumerGroupHeartbeat, 1);
            }

            Require(answer.ErrorCode, $"ConsumerGroupHeartbeat {answer.ErrorMessage}");
            (member.Epoch, member.Owned) = (answer.MemberEpoch, answer.Assignment?.TopicPartitions ?? member.Owned);
        }
    }
}
