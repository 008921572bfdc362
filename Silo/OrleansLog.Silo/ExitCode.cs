namespace OrleansLog.Silo;

/// <summary>How the process ends. Scripts and service supervisors tell the causes apart by these numbers.</summary>
public enum ExitCode
{
    Success = 0,

    /// <summary>Something that has no code of its own; the message says what.</summary>
    Failure = 1,

    /// <summary>An option, variable, setting or config is unknown or has a value that it cannot have.</summary>
    Usage = 2,

    /// <summary>Another process listens on a port that was asked for, or the address is not this machine's.</summary>
    AddressInUse = 3,

    /// <summary>Another process owns the data directory.</summary>
    DataDirectoryInUse = 4,

    /// <summary>The data directory cannot be made, read or written.</summary>
    DataDirectoryNotUsable = 5,

    /// <summary>The data directory holds what this release does not read: written by a later one, or by something else.</summary>
    DataNotReadable = 6,

    /// <summary>The remote store, or the blob storage that holds the cluster, refuses the broker or cannot be reached.</summary>
    StoreNotUsable = 7,
}

/// <summary>The process cannot start or go on, for a reason that the person who started it can mend.</summary>
public sealed class StartException(ExitCode exitCode, string message, Exception? cause = null) : Exception(message, cause)
{
    public ExitCode ExitCode => exitCode;
}
