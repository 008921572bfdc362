using OrleansLog.Protocol;

namespace OrleansLog.Storage;

/// <summary>
/// Files failed or hold what they should not. The message says what happened to which file; the inner exception is
/// the file system's own.
/// </summary>
public class StorageException : IOException
{
    public StorageException(string message) : base(message)
    {
    }

    public StorageException(string message, Exception innerException) : base(message, innerException)
    {
    }

    public StorageException()
    {
    }

    /// <summary>What a client is told.</summary>
    public virtual ErrorCode Error => ErrorCode.KafkaStorageError;
}

/// <summary>A directory belongs to another process (or to another broker of this one).</summary>
public sealed class DirectoryInUseException : StorageException
{
    public DirectoryInUseException(string message) : base(message)
    {
    }

    public DirectoryInUseException(string message, Exception innerException) : base(message, innerException)
    {
    }

    public DirectoryInUseException()
    {
    }
}
