namespace OrleansLog.Coordination;

/// <summary>One record of an internal topic, as it lies in the partition: a key, and a value or a tombstone.</summary>
/// <param name="Key">The versioned key. Never empty.</param>
/// <param name="Value">
/// The versioned value; null deletes the key (a tombstone). An empty one counts as null: values begin with their
/// version, and a null array turns into an empty value all too easily on its way here.
/// </param>
public readonly record struct CoordinatorRecord(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte>? Value)
{
    public ReadOnlyMemory<byte>? Value { get; } = Value is { IsEmpty: false } ? Value : null;

    /// <summary>Key and value together, in bytes.</summary>
    public int SizeInBytes => Key.Length + (Value?.Length ?? 0);
}
