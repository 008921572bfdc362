using OrleansLog.Protocol;

namespace OrleansLog.Client.Consuming;

internal static class GroupErrors
{
    public static OrleansLogException Explain(ConsumerOptions options, ErrorCode error, string? reason = null) => new(error, error switch
    {
        // Passing states: the member joins again.
        ErrorCode.RebalanceInProgress or ErrorCode.UnknownMemberId or ErrorCode.IllegalGeneration or ErrorCode.FencedMemberEpoch =>
            $"Group '{options.GroupId}' is rebalancing.",
        ErrorCode.InconsistentGroupProtocol =>
            $"Group '{options.GroupId}' has members that share none of this consumer's assignors ({string.Join(", ", options.Assignors.Select(assignor => assignor.Name))}). Give it one that they have.",
        ErrorCode.InvalidSessionTimeout =>
            $"The broker does not accept a session timeout of {options.SessionTimeoutMs} ms: stay between its group.min.session.timeout.ms and group.max.session.timeout.ms.",
        ErrorCode.FencedInstanceId =>
            $"Another member of group '{options.GroupId}' uses the GroupInstanceId '{options.GroupInstanceId}': give each running member its own.",
        ErrorCode.UnreleasedInstanceId =>
            $"A member of group '{options.GroupId}' with the GroupInstanceId '{options.GroupInstanceId}' is there yet: its place is free when it stops, or when its session times out.",
        ErrorCode.UnsupportedAssignor => $"The brokers have no ServerAssignor '{options.ServerAssignor}': {reason}",
        ErrorCode.InvalidRegularExpression => $"The brokers do not take the expression that group '{options.GroupId}' is to subscribe with: {reason}",
        ErrorCode.GroupIdNotFound => $"Group '{options.GroupId}' is one of the classic protocol and may not change: use GroupProtocol.Classic, or another group.",
        ErrorCode.GroupMaxSizeReached => $"Group '{options.GroupId}' takes no more members.",
        ErrorCode.GroupAuthorizationFailed => $"This client may not use group '{options.GroupId}': ask for access to it.",
        _ => $"Group '{options.GroupId}' cannot be joined: {reason ?? error.ToString()}.",
    });

    /// <summary>Whether joining again, at once or soon, is the answer.</summary>
    public static bool MeansJoinAgain(ErrorCode error) =>
        error is ErrorCode.RebalanceInProgress or ErrorCode.UnknownMemberId or ErrorCode.IllegalGeneration or ErrorCode.FencedMemberEpoch;
}
