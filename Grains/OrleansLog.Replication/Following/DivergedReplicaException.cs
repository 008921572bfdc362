namespace OrleansLog.Replication.Following;

/// <summary>
/// Two replicas disagree about a committed record: a promise is broken, by lost disks or by a fault in this program.
/// The replica that notices keeps what it has.
/// </summary>
public sealed class DivergedReplicaException : Exception
{
    public DivergedReplicaException(string message) : base(message)
    {
    }

    public DivergedReplicaException(string message, Exception innerException) : base(message, innerException)
    {
    }

    public DivergedReplicaException()
    {
    }
}
