using OrleansLog.Protocol;

namespace OrleansLog.Client.Consuming;

internal static class FetchErrors
{
    public static OrleansLogException Explain(TopicPartition partition, long offset, ErrorCode error) => new(error, error switch
    {
        ErrorCode.OffsetOutOfRange =>
            $"{partition} has no offset {offset}: it was deleted or not written yet. Seek elsewhere, or choose an OffsetReset other than None.",
        ErrorCode.TopicAuthorizationFailed => $"This client may not read topic '{partition.Topic}': ask for access to it.",
        ErrorCode.CorruptMessage => $"The broker finds {partition} damaged at offset {offset}. Seek past it to go on without what is there.",
        _ => $"{partition} cannot be read at offset {offset}: {error}.",
    });

    public static OrleansLogException OldFormat(TopicPartition partition, long offset) => new(ErrorCode.UnsupportedForMessageFormat,
        $"{partition} holds records of a format before version 2 at offset {offset}, which this client does not read. Seek past them.");

    public static OrleansLogException Damaged(TopicPartition partition, Offset offset, string problem, Exception? cause = null) => new(ErrorCode.CorruptMessage,
        $"A batch of {partition} at offset {offset} is damaged: {problem.TrimEnd('.')}. Read it again; if it stays so, seek past it and check the broker's disk.", cause);
}
