namespace OrleansLog.Coordination.ConsumerGroups.Assignors;

/// <summary>
/// Spreads partitions evenly and moves as few as that allows: no member has two more than another that could read
/// one of them. What a member had it keeps, unless it has more than its share.
/// </summary>
internal sealed class UniformServerAssignor : IServerAssignor
{
    public string Name => "uniform";

    public Dictionary<string, PartitionSet> Assign(AssignmentInput input)
    {
        var round = new Round(input);
        round.KeepFormer();
        if (round.IsHomogeneous)
            round.CutToShares();
        round.GiveOut();
        if (!round.IsHomogeneous)
            round.Balance();
        return round.Result();
    }

    private sealed class Round(AssignmentInput input)
    {
        private readonly Dictionary<string, PartitionSet.Builder> _shares =
            input.Members.ToDictionary(member => member.Id, _ => PartitionSet.Empty.ToBuilder());

        private readonly HashSet<TopicIdPartition> _given = [];

        /// <summary>Whether all subscribe to the same topics, so that everybody's share is known beforehand.</summary>
        public bool IsHomogeneous { get; } = input.Members.All(member => member.Topics.SetEquals(input.Members[0].Topics));

        public void KeepFormer()
        {
            foreach (var member in input.Members)
            {
                foreach (var partition in member.Former)
                {
                    if (member.Topics.Contains(partition.TopicId) && partition.Partition < input.Partitions[partition.TopicId] && _given.Add(partition))
                        _shares[member.Id].Add(partition);
                }
            }
        }

        /// <summary>Those that have the most keep the one that is over, as long as there are such.</summary>
        public void CutToShares()
        {
            if (input.Members.Count == 0)
                return;
            var (share, over) = Math.DivRem(input.Members[0].Topics.Sum(topic => input.Partitions[topic]), input.Members.Count);
            foreach (var member in input.Members.OrderByDescending(member => _shares[member.Id].Count))
            {
                var kept = _shares[member.Id];
                var most = share + (over > 0 && kept.Count > share ? 1 : 0);
                if (kept.Count > share)
                    over--;
                while (kept.Count > most)
                    TakeFrom(kept, kept[^1]);
            }
        }

        /// <summary>Those that few can read go first; each goes to whoever has the fewest.</summary>
        public void GiveOut()
        {
            var readers = input.Partitions.Keys.ToDictionary(topic => topic, topic => input.Members.Where(member => member.Topics.Contains(topic)).ToList());
            foreach (var group in readers.Where(topic => topic.Value.Count > 0).OrderBy(topic => topic.Value.Count).ThenBy(topic => topic.Key))
            {
                var queue = new PriorityQueue<AssignmentMember, (int, int)>();
                for (var i = 0; i < group.Value.Count; i++)
                    queue.Enqueue(group.Value[i], (_shares[group.Value[i].Id].Count, i));
                foreach (var partition in input.PartitionsOf(group.Key).Where(_given.Add))
                {
                    queue.TryDequeue(out var member, out var order);
                    _shares[member!.Id].Add(partition);
                    queue.Enqueue(member, (order.Item1 + 1, order.Item2));
                }
            }
        }

        /// <summary>Every move lessens the sum of the squares of the shares, so there is an end to them.</summary>
        public void Balance()
        {
            var partitions = input.Partitions.Keys.Order().SelectMany(input.PartitionsOf).ToList();
            var owners = _shares.SelectMany(share => share.Value, (share, partition) => (partition, share.Key)).ToDictionary(pair => pair.partition, pair => pair.Key);
            for (var moved = true; moved;)
            {
                moved = false;
                foreach (var partition in partitions.Where(owners.ContainsKey))
                    moved |= Relieve(partition, owners);
            }
        }

        public Dictionary<string, PartitionSet> Result() => _shares.ToDictionary(share => share.Key, share => share.Value.ToImmutable());

        private bool Relieve(TopicIdPartition partition, Dictionary<TopicIdPartition, string> owners)
        {
            var owner = owners[partition];
            var least = input.Members.Where(member => member.Topics.Contains(partition.TopicId)).MinBy(member => _shares[member.Id].Count)!;
            if (_shares[least.Id].Count + 1 >= _shares[owner].Count)
                return false;
            _shares[owner].Remove(partition);
            _shares[least.Id].Add(partition);
            owners[partition] = least.Id;
            return true;
        }

        private void TakeFrom(PartitionSet.Builder share, TopicIdPartition partition)
        {
            share.Remove(partition);
            _given.Remove(partition);
        }
    }
}
