using OrleansLog.Protocol;

namespace OrleansLog.Coordination;

/// <summary>What clients are told when a coordinator's write went wrong: the errors that they know how to handle.</summary>
internal static class CoordinatorErrors
{
    /// <summary>The answer of the group APIs.</summary>
    public static ErrorCode ForGroups(ErrorCode error) => error switch
    {
        ErrorCode.UnknownTopicOrPartition or ErrorCode.NotEnoughReplicas or ErrorCode.NotEnoughReplicasAfterAppend
            or ErrorCode.RequestTimedOut => ErrorCode.CoordinatorNotAvailable,
        ErrorCode.NotLeaderOrFollower or ErrorCode.KafkaStorageError => ErrorCode.NotCoordinator,
        ErrorCode.MessageTooLarge or ErrorCode.RecordListTooLarge or ErrorCode.InvalidFetchSize =>
            ErrorCode.UnknownServerError,
        _ => error,
    };

    /// <summary>The answer to a commit of offsets.</summary>
    public static ErrorCode ForCommits(ErrorCode error) => error switch
    {
        ErrorCode.MessageTooLarge or ErrorCode.RecordListTooLarge or ErrorCode.InvalidFetchSize =>
            ErrorCode.InvalidCommitOffsetSize,
        _ => ForGroups(error),
    };
}
