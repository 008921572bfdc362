using OrleansLog.Protocol.Wire;

namespace OrleansLog.Client.Transport;

/// <summary>
/// A request on its way. The transport picks the version, then asks for the body. Used once, by one caller at a time.
/// </summary>
public abstract class OutgoingRequest
{
    public abstract ApiKey Api { get; }

    /// <summary>The lowest version this client can write.</summary>
    public abstract short VersionMin { get; }

    /// <summary>The highest version this client can write.</summary>
    public abstract short VersionMax { get; }

    /// <summary>False for a request that is never answered (a produce with no acknowledgement).</summary>
    public virtual bool ExpectsResponse => true;

    /// <summary>
    /// Whether what follows the answer may run on the thread that received it, which saves a hand-over. Only for
    /// callers that run no code of the application there.
    /// </summary>
    public virtual bool MayContinueInline => false;

    /// <summary>How long the broker may hold the answer back beyond the request timeout, in milliseconds.</summary>
    public virtual int HoldMsMax => 0;

    /// <summary>
    /// How long a healthy broker may take to answer, in milliseconds, beyond which the cluster is asked whether it has gone
    /// on without that broker.
    /// </summary>
    public virtual int PatienceMs => HoldMsMax + SuspicionMs;

    /// <summary>How late an answer has to be to be suspect, in milliseconds.</summary>
    protected const int SuspicionMs = 1_000;

    /// <summary>Writes the body, without the header, in a version between the two.</summary>
    public abstract void WriteBody(short version, FrameBuilder destination);
}
