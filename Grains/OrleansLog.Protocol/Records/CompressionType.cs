namespace OrleansLog.Protocol.Records;

/// <summary>How the records of a batch are compressed: the lowest three bits of its attributes.</summary>
public enum CompressionType : byte
{
    None = 0,
    Gzip = 1,
    Snappy = 2,
    Lz4 = 3,
    Zstd = 4,
}

/// <summary>What the timestamps of a batch mean.</summary>
public enum TimestampType : byte
{
    /// <summary>Each record carries the time that its producer gave it.</summary>
    CreateTime = 0,

    /// <summary>Every record has the time at which the broker appended it: the batch's max timestamp.</summary>
    LogAppendTime = 1,
}
