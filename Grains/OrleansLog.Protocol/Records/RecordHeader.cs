namespace OrleansLog.Protocol.Records;

/// <summary>
/// A name and a value that travel with a record (KIP-82). Names may repeat and their order is kept. A null value is not
/// the same as an empty one; a null array, though, converts to an empty value.
/// </summary>
public readonly record struct RecordHeader(string Key, ReadOnlyMemory<byte>? Value);
