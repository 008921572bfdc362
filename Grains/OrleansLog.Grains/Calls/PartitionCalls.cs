using OrleansLog.Protocol;

namespace OrleansLog.Grains.Calls;

/// <summary>What became of an append.</summary>
/// <param name="Error">Kafka's error code.</param>
/// <param name="BaseOffset">Where the first record lies; -1 if nothing was appended.</param>
/// <param name="LogStartOffset">The first offset that can still be read.</param>
[GenerateSerializer, Immutable]
public readonly record struct AppendResult([property: Id(0)] ErrorCode Error, [property: Id(1)] long BaseOffset, [property: Id(2)] long LogStartOffset);

/// <summary>What a reader wants.</summary>
/// <param name="From">The first offset.</param>
/// <param name="BytesMax">Whole batches up to this many bytes; the first one comes in any case.</param>
/// <param name="WaitMsMax">How long to wait for a first record.</param>
[GenerateSerializer, Immutable]
public readonly record struct FetchCall([property: Id(0)] long From, [property: Id(1)] int BytesMax = 1 << 20, [property: Id(2)] int WaitMsMax = 500);

/// <summary>What a reader gets.</summary>
/// <param name="Error">Kafka's error code.</param>
/// <param name="HighWatermark">Everything below is committed.</param>
/// <param name="LogStartOffset">The first offset that can still be read.</param>
/// <param name="Batches">Whole record batches, the first of which may begin before the offset that was asked for.</param>
[GenerateSerializer, Immutable]
public readonly record struct FetchResult(
    [property: Id(0)] ErrorCode Error, [property: Id(1)] long HighWatermark, [property: Id(2)] long LogStartOffset, [property: Id(3)] Payload Batches);

/// <summary>An offset that was looked up, or that a log was cut to.</summary>
[GenerateSerializer, Immutable]
public readonly record struct OffsetResult([property: Id(0)] ErrorCode Error, [property: Id(1)] long Offset, [property: Id(2)] long TimestampMs);
