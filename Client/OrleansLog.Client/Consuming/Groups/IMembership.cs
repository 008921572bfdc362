using OrleansLog.Client.Metadata;
using OrleansLog.Protocol;

namespace OrleansLog.Client.Consuming;

/// <summary>A consumer's place in its group, whichever protocol the group speaks. Leaves it when disposed.</summary>
internal interface IMembership : IAsyncDisposable
{
    /// <summary>
    /// How long a member tries to tell its group that it leaves: as long as a coordinator may take to move. Without a word the
    /// group waits for the session timeout.
    /// </summary>
    static readonly TimeSpan LeaveTimeMax = TimeSpan.FromSeconds(5);

    /// <summary>Who this member is now.</summary>
    GroupMember Member { get; }

    /// <summary>
    /// Who was given the partitions that are read, for commits: once others have them the coordinator refuses what is said in
    /// that name. A member that was dropped must not commit as one who is no member: that is let through.
    /// </summary>
    GroupMember Holder { get; }

    /// <summary>Whether the reader must come here before it reads on.</summary>
    bool NeedsReader { get; }

    /// <summary>Whether the application is waiting for records, so that it cannot be late.</summary>
    bool IsReaderWaiting { get; set; }

    /// <summary>Notes that the application is alive.</summary>
    void NotePoll();

    /// <summary>The subscription is another one: has the group told with the next read.</summary>
    void RequestJoin();

    /// <summary>Takes note of what the coordinator said to somebody who may be this member no longer.</summary>
    void Hear(GroupMember asked, ErrorCode error);

    /// <summary>Brings the membership up to date: on the reader's turn, before it reads on.</summary>
    Task UpdateAsync(CancellationToken cancellationToken);

    /// <summary>
    /// A commit was refused because the group has moved on. Answers whether this member may have moved on with it, so
    /// that it may be tried again.
    /// </summary>
    Task<bool> CatchUpAsync(GroupMember asked, CancellationToken cancellationToken);
}
