using OrleansLog.Protocol;

namespace OrleansLog.Client;

/// <summary>
/// What became of one batch of records. The batches of a partition are reported in the order in which their records
/// were posted, so that an application which counts per partition knows which records are meant.
/// </summary>
/// <param name="Partition">The partition that the batch went to.</param>
/// <param name="BaseOffset">The offset of its first record; the others follow without a gap. <see cref="Offset.None"/> when it failed or with <see cref="Acks.None"/>.</param>
/// <param name="RecordCount">How many records it holds.</param>
/// <param name="Error">Why it was given up, or null when it was acknowledged.</param>
public readonly record struct DeliveryReport(
    TopicPartition Partition, Offset BaseOffset, int RecordCount, OrleansLogException? Error);
