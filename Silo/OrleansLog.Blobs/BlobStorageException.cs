namespace OrleansLog.Blobs;

/// <summary>The blob storage refused something or could not be reached; the message says what, which container, and what to do. Holds no secret.</summary>
public sealed class BlobStorageException(string message, Exception cause) : IOException(message, cause);
