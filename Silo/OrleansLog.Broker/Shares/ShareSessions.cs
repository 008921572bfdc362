using OrleansLog.Protocol;

namespace OrleansLog.Broker.Shares;

/// <summary>A partition in a share session.</summary>
public readonly record struct SessionPartition(Guid TopicId, int Partition);

/// <summary>Who fetches: a member of a share group.</summary>
public readonly record struct ShareMemberId(string Group, string Member);

/// <summary>What a member fetches from this broker, so that it need not say so with every request (KIP-932).</summary>
public sealed class ShareSession(ShareMemberId owner)
{
    internal List<SessionPartition> Members { get; } = [];

    public ShareMemberId Owner => owner;

    /// <summary>The number of the next request.</summary>
    public int NextEpoch { get; internal set; } = 1;

    internal long LastUsed { get; set; }

    internal CancellationTokenRegistration OnClosed { get; set; }
}

/// <summary>
/// The share sessions of one broker: bounded in number; they end with the connection that began them, or when nobody has used
/// them for a while. Any thread.
/// </summary>
/// <param name="limits">How many there may be.</param>
/// <param name="time">The clock.</param>
/// <param name="ended">Told of a session's end with what was in it, and whether it was the last of its group.</param>
/// <param name="begun">Told of the first session of a group.</param>
public sealed class ShareSessions(ShareLimits limits, TimeProvider time, Action<ShareMemberId, IReadOnlyList<SessionPartition>, bool> ended, Action<string> begun)
{
    private static readonly TimeSpan IdleMax = TimeSpan.FromMinutes(10);

    private readonly Lock _gate = new();
    private readonly Dictionary<ShareMemberId, ShareSession> _sessions = [];
    private readonly Dictionary<string, int> _groups = new(StringComparer.Ordinal);

    public int Count
    {
        get
        {
            lock (_gate)
                return _sessions.Count;
        }
    }

    /// <summary>Begins a session in the place of the one that there may be.</summary>
    public ErrorCode Begin(ShareMemberId owner, IReadOnlyCollection<SessionPartition> partitions, CancellationToken closed, out ShareSession? session)
    {
        session = null;
        if (partitions.Count > limits.SessionPartitionsMax)
            return ErrorCode.InvalidRequest;
        EndIdle();
        var former = Find(owner);
        var isFirst = false;
        lock (_gate)
        {
            if (_sessions.Count - (former is null ? 0 : 1) >= limits.SessionsMax)
                return ErrorCode.ShareSessionLimitReached;
            if (!_sessions.Remove(owner))
                isFirst = (_groups[owner.Group] = _groups.GetValueOrDefault(owner.Group) + 1) == 1;
            session = new ShareSession(owner) { LastUsed = time.GetTimestamp() };
            session.Members.AddRange(partitions.Distinct());
            _sessions.Add(owner, session);
        }
        former?.OnClosed.Unregister();
        if (isFirst)
            begun(owner.Group);
        var begunNow = session;
        session.OnClosed = closed.UnsafeRegister(_ => End(begunNow), null);
        return ErrorCode.None;
    }

    /// <summary>Goes on with a session, changing what is in it.</summary>
    public ErrorCode Continue(
        ShareMemberId owner, int epoch, IReadOnlyCollection<SessionPartition> added, IReadOnlyCollection<SessionPartition> forgotten, out ShareSession? session)
    {
        lock (_gate)
        {
            if (!_sessions.TryGetValue(owner, out session))
                return ErrorCode.ShareSessionNotFound;
            if (epoch != session.NextEpoch)
                return ErrorCode.InvalidShareSessionEpoch;
            var fresh = added.Except(session.Members).ToList();
            if (session.Members.Count + fresh.Count > limits.SessionPartitionsMax)
                return ErrorCode.InvalidRequest;
            session.NextEpoch = epoch == int.MaxValue ? 1 : epoch + 1;
            session.LastUsed = time.GetTimestamp();
            session.Members.AddRange(fresh);
            if (forgotten.Count > 0)
                session.Members.RemoveAll(forgotten.Contains);
            return ErrorCode.None;
        }
    }

    public ShareSession? Find(ShareMemberId owner)
    {
        lock (_gate)
            return _sessions.GetValueOrDefault(owner);
    }

    /// <summary>What is in a session, the first being another each time, so that all get their turn.</summary>
    public IReadOnlyList<SessionPartition> PartitionsOf(ShareSession session)
    {
        lock (_gate)
        {
            if (session.Members.Count == 0)
                return [];
            var first = session.NextEpoch % session.Members.Count;
            return [.. session.Members.Skip(first), .. session.Members.Take(first)];
        }
    }

    /// <summary>Ends a session, if it is the present one of its member.</summary>
    public void End(ShareSession session)
    {
        bool isLast;
        lock (_gate)
        {
            if (_sessions.GetValueOrDefault(session.Owner) != session)
                return;
            _sessions.Remove(session.Owner);
            var group = session.Owner.Group;
            isLast = --_groups[group] == 0;
            if (isLast)
                _groups.Remove(group);
        }
        session.OnClosed.Unregister();
        ended(session.Owner, session.Members, isLast);
    }

    private void EndIdle()
    {
        List<ShareSession> idle;
        lock (_gate)
            idle = [.. _sessions.Values.Where(session => time.GetElapsedTime(session.LastUsed) > IdleMax)];
        idle.ForEach(End);
    }
}
