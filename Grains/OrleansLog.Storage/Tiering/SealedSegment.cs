namespace OrleansLog.Storage.Tiering;

/// <summary>A sealed segment on the disk, as it is to be in a remote store.</summary>
/// <param name="Remote">What the manifest says of it.</param>
/// <param name="Index">Where its parts begin.</param>
/// <param name="File">Where its record batches are.</param>
/// <param name="Position">From where on.</param>
public sealed record SealedSegment(RemoteSegment Remote, RemoteIndex Index, ILogFile File, int Position);
