namespace OrleansLog.Protocol;

/// <summary>
/// What went wrong, in Kafka's numbers as of its release 4.2 (https://kafka.apache.org/protocol#protocol_error_codes).
/// Expected outcomes travel as these codes; exceptions mean corruption, failed I/O or misuse.
/// </summary>
public enum ErrorCode : short
{
    /// <summary>The broker met an error that it did not expect and has no code for; its own log says more.</summary>
    UnknownServerError = -1,

    /// <summary>Nothing went wrong.</summary>
    None = 0,

    /// <summary>The offset lies before the partition's log start offset or past its end.</summary>
    OffsetOutOfRange = 1,

    /// <summary>A batch fails its checksum, has an impossible length or lacks a key on a compacted topic.</summary>
    CorruptMessage = 2,

    /// <summary>This broker knows no such topic, or no such partition of it.</summary>
    UnknownTopicOrPartition = 3,

    /// <summary>The size asked for in a fetch is not a usable number.</summary>
    InvalidFetchSize = 4,

    /// <summary>The partition has no leader at present: an election is under way.</summary>
    LeaderNotAvailable = 5,

    /// <summary>This broker is not the partition's leader; or, where any replica will do, has none of it.</summary>
    NotLeaderOrFollower = 6,

    /// <summary>The time that the request allowed ran out before the work was done.</summary>
    RequestTimedOut = 7,

    /// <summary>The broker named is not running or not reachable.</summary>
    BrokerNotAvailable = 8,

    /// <summary>The replica asked for is not on this broker or not ready.</summary>
    ReplicaNotAvailable = 9,

    /// <summary>A record batch is larger than the topic's max.message.bytes.</summary>
    MessageTooLarge = 10,

    /// <summary>The request came from a controller that has been succeeded.</summary>
    StaleControllerEpoch = 11,

    /// <summary>The text committed along with an offset is longer than the broker allows.</summary>
    OffsetMetadataTooLarge = 12,

    /// <summary>The connection broke before the answer came.</summary>
    NetworkException = 13,

    /// <summary>The coordinator is still reading its state from the log.</summary>
    CoordinatorLoadInProgress = 14,

    /// <summary>No coordinator is running for this key yet, or it cannot be reached.</summary>
    CoordinatorNotAvailable = 15,

    /// <summary>Another broker coordinates the group or transaction: look the coordinator up again.</summary>
    NotCoordinator = 16,

    /// <summary>The topic's name is not allowed, or the topic is internal and may not be used so.</summary>
    InvalidTopicException = 17,

    /// <summary>The batches of one produce are together larger than a segment may be.</summary>
    RecordListTooLarge = 18,

    /// <summary>Fewer replicas are in sync than min.insync.replicas; nothing was written.</summary>
    NotEnoughReplicas = 19,

    /// <summary>The records were written, but then too few replicas were in sync to commit them.</summary>
    NotEnoughReplicasAfterAppend = 20,

    /// <summary>The acks of a produce are none of -1, 0 and 1.</summary>
    InvalidRequiredAcks = 21,

    /// <summary>The member speaks for a generation of the group that is not the present one.</summary>
    IllegalGeneration = 22,

    /// <summary>The member's protocol type or protocols share nothing with those of the group.</summary>
    InconsistentGroupProtocol = 23,

    /// <summary>The group id is empty or otherwise not allowed.</summary>
    InvalidGroupId = 24,

    /// <summary>The group has no member of this id.</summary>
    UnknownMemberId = 25,

    /// <summary>The session timeout lies outside the range that the broker allows.</summary>
    InvalidSessionTimeout = 26,

    /// <summary>The group is rebalancing: join it again.</summary>
    RebalanceInProgress = 27,

    /// <summary>The record made of a committed offset would be larger than the broker allows.</summary>
    InvalidCommitOffsetSize = 28,

    /// <summary>The caller may not do this to the topic.</summary>
    TopicAuthorizationFailed = 29,

    /// <summary>The caller may not do this to the group.</summary>
    GroupAuthorizationFailed = 30,

    /// <summary>The caller may not do this to the cluster.</summary>
    ClusterAuthorizationFailed = 31,

    /// <summary>A record's timestamp is further from the broker's clock than the topic allows.</summary>
    InvalidTimestamp = 32,

    /// <summary>The broker does not offer the SASL mechanism asked for.</summary>
    UnsupportedSaslMechanism = 33,

    /// <summary>The request does not fit the stage that the SASL exchange is in.</summary>
    IllegalSaslState = 34,

    /// <summary>The broker does not speak this version of the request.</summary>
    UnsupportedVersion = 35,

    /// <summary>A topic of this name exists.</summary>
    TopicAlreadyExists = 36,

    /// <summary>The number of partitions is below 1, or would shrink the topic.</summary>
    InvalidPartitions = 37,

    /// <summary>The replication factor is below 1 or above the number of brokers.</summary>
    InvalidReplicationFactor = 38,

    /// <summary>The replicas named do not exist, repeat, or differ in number between partitions.</summary>
    InvalidReplicaAssignment = 39,

    /// <summary>A configuration key is unknown or its value is not allowed.</summary>
    InvalidConfig = 40,

    /// <summary>This broker is not the controller.</summary>
    NotController = 41,

    /// <summary>The request is malformed or contradicts itself.</summary>
    InvalidRequest = 42,

    /// <summary>The message format in use cannot carry what was asked.</summary>
    UnsupportedForMessageFormat = 43,

    /// <summary>A policy of the cluster forbids the request.</summary>
    PolicyViolation = 44,

    /// <summary>A batch of an idempotent producer does not follow the one before it.</summary>
    OutOfOrderSequenceNumber = 45,

    /// <summary>A batch of an idempotent producer was written before, too long ago to know its offset.</summary>
    DuplicateSequenceNumber = 46,

    /// <summary>The producer's epoch is older than the one that the partition has seen.</summary>
    InvalidProducerEpoch = 47,

    /// <summary>The transaction is not in a state that allows this step.</summary>
    InvalidTxnState = 48,

    /// <summary>The producer id does not belong to the transactional id.</summary>
    InvalidProducerIdMapping = 49,

    /// <summary>The transaction timeout is longer than transaction.max.timeout.ms.</summary>
    InvalidTransactionTimeout = 50,

    /// <summary>The transactional id's previous step is still being carried out.</summary>
    ConcurrentTransactions = 51,

    /// <summary>A transaction marker came from a coordinator that has been succeeded.</summary>
    TransactionCoordinatorFenced = 52,

    /// <summary>The caller may not use the transactional id.</summary>
    TransactionalIdAuthorizationFailed = 53,

    /// <summary>The cluster runs without the security feature that the request is about.</summary>
    SecurityDisabled = 54,

    /// <summary>Another part of the same request failed, so this part was not tried.</summary>
    OperationNotAttempted = 55,

    /// <summary>The disk failed or is full under the partition.</summary>
    KafkaStorageError = 56,

    /// <summary>The data directory named is not one of the broker's.</summary>
    LogDirNotFound = 57,

    /// <summary>The credentials were refused.</summary>
    SaslAuthenticationFailed = 58,

    /// <summary>The partition remembers nothing of the producer id, as when its records have all expired.</summary>
    UnknownProducerId = 59,

    /// <summary>The partition's replicas are already being moved.</summary>
    ReassignmentInProgress = 60,

    /// <summary>Delegation tokens are not enabled.</summary>
    DelegationTokenAuthDisabled = 61,

    /// <summary>The broker knows no such delegation token.</summary>
    DelegationTokenNotFound = 62,

    /// <summary>The caller neither owns nor may renew the delegation token.</summary>
    DelegationTokenOwnerMismatch = 63,

    /// <summary>Delegation tokens are not handed out over this kind of connection.</summary>
    DelegationTokenRequestNotAllowed = 64,

    /// <summary>The caller may not do this to the delegation token.</summary>
    DelegationTokenAuthorizationFailed = 65,

    /// <summary>The delegation token has expired.</summary>
    DelegationTokenExpired = 66,

    /// <summary>The type of principal is not supported.</summary>
    InvalidPrincipalType = 67,

    /// <summary>The group has members, and the request needs it empty.</summary>
    NonEmptyGroup = 68,

    /// <summary>No group of this id exists.</summary>
    GroupIdNotFound = 69,

    /// <summary>The broker holds no fetch session of this id (KIP-227).</summary>
    FetchSessionIdNotFound = 70,

    /// <summary>The fetch is not the next one of its session (KIP-227).</summary>
    InvalidFetchSessionEpoch = 71,

    /// <summary>The leader does not listen on the listener that the client came in by.</summary>
    ListenerNotFound = 72,

    /// <summary>Topics may not be deleted (delete.topic.enable).</summary>
    TopicDeletionDisabled = 73,

    /// <summary>The client's leader epoch is older than the broker's (KIP-320).</summary>
    FencedLeaderEpoch = 74,

    /// <summary>The client's leader epoch is newer than the broker's (KIP-320).</summary>
    UnknownLeaderEpoch = 75,

    /// <summary>The batch's compression is unknown, or the request's version may not carry it.</summary>
    UnsupportedCompressionType = 76,

    /// <summary>The broker has registered again since it sent the request.</summary>
    StaleBrokerEpoch = 77,

    /// <summary>A new leader does not know yet how far its log is committed.</summary>
    OffsetNotAvailable = 78,

    /// <summary>A new member joins again with the member id that came with this answer (KIP-394).</summary>
    MemberIdRequired = 79,

    /// <summary>The replica that should lead by preference is not available.</summary>
    PreferredLeaderNotAvailable = 80,

    /// <summary>The group has as many members as it may (group.max.size).</summary>
    GroupMaxSizeReached = 81,

    /// <summary>Another member now runs under the same group.instance.id (KIP-345).</summary>
    FencedInstanceId = 82,

    /// <summary>No replica that may lead the partition is available.</summary>
    EligibleLeadersNotAvailable = 83,

    /// <summary>The partition already has the leader that the election was to bring about.</summary>
    ElectionNotNeeded = 84,

    /// <summary>There is no move of replicas to list or cancel.</summary>
    NoReassignmentInProgress = 85,

    /// <summary>The group consumes the topic, so its offsets may not be deleted.</summary>
    GroupSubscribedToTopic = 86,

    /// <summary>A record or a batch breaks a rule that the broker checks.</summary>
    InvalidRecord = 87,

    /// <summary>An open transaction may still change the committed offsets (KIP-447).</summary>
    UnstableOffsetCommit = 88,

    /// <summary>The caller is over its quota for changes (KIP-599).</summary>
    ThrottlingQuotaExceeded = 89,

    /// <summary>A newer producer runs under the same transactional id.</summary>
    ProducerFenced = 90,

    /// <summary>What the request is about does not exist.</summary>
    ResourceNotFound = 91,

    /// <summary>The request names the same thing twice.</summary>
    DuplicateResource = 92,

    /// <summary>The credential does not meet the cluster's rules.</summary>
    UnacceptableCredential = 93,

    /// <summary>Sender or receiver is not among the voters of the controller quorum.</summary>
    InconsistentVoterSet = 94,

    /// <summary>The version that a feature is to be set to is not allowed.</summary>
    InvalidUpdateVersion = 95,

    /// <summary>The feature could not be set because of an error within the broker.</summary>
    FeatureUpdateFailed = 96,

    /// <summary>The principal of a forwarded request cannot be read.</summary>
    PrincipalDeserializationFailure = 97,

    /// <summary>The snapshot asked for does not exist.</summary>
    SnapshotNotFound = 98,

    /// <summary>The position lies outside the snapshot.</summary>
    PositionOutOfRange = 99,

    /// <summary>This broker knows no topic of this id (KIP-516).</summary>
    UnknownTopicId = 100,

    /// <summary>A broker of this id is already registered.</summary>
    DuplicateBrokerRegistration = 101,

    /// <summary>No broker of this id is registered.</summary>
    BrokerIdNotRegistered = 102,

    /// <summary>The topic's id is not the one in the request: it was deleted and created again.</summary>
    InconsistentTopicId = 103,

    /// <summary>The request is meant for another cluster.</summary>
    InconsistentClusterId = 104,

    /// <summary>No transactional id of this name exists.</summary>
    TransactionalIdNotFound = 105,

    /// <summary>A fetch session mixes topic names and topic ids (KIP-516).</summary>
    FetchSessionTopicIdError = 106,

    /// <summary>A replica that may not join the in-sync replicas was to be put there.</summary>
    IneligibleReplica = 107,

    /// <summary>The change was made, but the partition's leader is another now.</summary>
    NewLeaderElected = 108,

    /// <summary>The offset is no longer held locally, only in remote storage (KIP-405).</summary>
    OffsetMovedToTieredStorage = 109,

    /// <summary>The member gives up its partitions and joins the group anew (KIP-848).</summary>
    FencedMemberEpoch = 110,

    /// <summary>The member that holds this instance id has not left yet (KIP-848).</summary>
    UnreleasedInstanceId = 111,

    /// <summary>The group's coordinator does not offer the assignor asked for (KIP-848).</summary>
    UnsupportedAssignor = 112,

    /// <summary>The member's epoch is behind: try again after the next heartbeat (KIP-848).</summary>
    StaleMemberEpoch = 113,

    /// <summary>A broker was asked what a controller answers, or the other way round.</summary>
    MismatchedEndpointType = 114,

    /// <summary>The type of endpoint is not supported.</summary>
    UnsupportedEndpointType = 115,

    /// <summary>No controller of this id is known.</summary>
    UnknownControllerId = 116,

    /// <summary>Telemetry was pushed for a subscription that is not the present one (KIP-714).</summary>
    UnknownSubscriptionId = 117,

    /// <summary>Telemetry was pushed in a larger piece than the broker accepts (KIP-714).</summary>
    TelemetryTooLarge = 118,

    /// <summary>The controller refuses the broker's registration.</summary>
    InvalidRegistration = 119,

    /// <summary>The transaction cannot be committed any more; abort it and go on (KIP-890).</summary>
    TransactionAbortable = 120,

    /// <summary>The record is not acquired by the caller, so its acknowledgement means nothing (KIP-932).</summary>
    InvalidRecordState = 121,

    /// <summary>The broker holds no such share session (KIP-932).</summary>
    ShareSessionNotFound = 122,

    /// <summary>The request is not the next one of its share session (KIP-932).</summary>
    InvalidShareSessionEpoch = 123,

    /// <summary>The epoch of the share group's state is not the present one (KIP-932).</summary>
    FencedStateEpoch = 124,

    /// <summary>The voter's key is not that of the replica which received the request (KIP-853).</summary>
    InvalidVoterKey = 125,

    /// <summary>The voter is already in the set (KIP-853).</summary>
    DuplicateVoter = 126,

    /// <summary>The voter is not in the set (KIP-853).</summary>
    VoterNotFound = 127,

    /// <summary>The pattern of a subscription is not a valid RE2 expression (KIP-848).</summary>
    InvalidRegularExpression = 128,

    /// <summary>The client's metadata is too old: it starts again from its bootstrap list (KIP-1102).</summary>
    RebootstrapRequired = 129,

    /// <summary>The topology of a Streams group is not valid (KIP-1071).</summary>
    StreamsInvalidTopology = 130,

    /// <summary>The topology epoch of a Streams group is not valid (KIP-1071).</summary>
    StreamsInvalidTopologyEpoch = 131,

    /// <summary>The topology epoch of a Streams member is behind its group's (KIP-1071).</summary>
    StreamsTopologyFenced = 132,

    /// <summary>The broker holds as many share sessions as it may (KIP-932).</summary>
    ShareSessionLimitReached = 133,
}

/// <summary>What an error code asks of the one who got it.</summary>
public static class ErrorCodeExtensions
{
    /// <summary>
    /// Whether the same request may succeed if it is sent again, after a pause or to the broker that newer metadata
    /// names. The set is Kafka's: what its clients throw as a retriable exception.
    /// </summary>
    public static bool IsRetriable(this ErrorCode error) => error is
        ErrorCode.CorruptMessage
        or ErrorCode.UnknownTopicOrPartition
        or ErrorCode.LeaderNotAvailable
        or ErrorCode.NotLeaderOrFollower
        or ErrorCode.RequestTimedOut
        or ErrorCode.ReplicaNotAvailable
        or ErrorCode.NetworkException
        or ErrorCode.CoordinatorLoadInProgress
        or ErrorCode.CoordinatorNotAvailable
        or ErrorCode.NotCoordinator
        or ErrorCode.NotEnoughReplicas
        or ErrorCode.NotEnoughReplicasAfterAppend
        or ErrorCode.NotController
        or ErrorCode.ConcurrentTransactions
        or ErrorCode.KafkaStorageError
        or ErrorCode.FetchSessionIdNotFound
        or ErrorCode.InvalidFetchSessionEpoch
        or ErrorCode.ListenerNotFound
        or ErrorCode.FencedLeaderEpoch
        or ErrorCode.UnknownLeaderEpoch
        or ErrorCode.OffsetNotAvailable
        or ErrorCode.PreferredLeaderNotAvailable
        or ErrorCode.EligibleLeadersNotAvailable
        or ErrorCode.ElectionNotNeeded
        or ErrorCode.UnstableOffsetCommit
        or ErrorCode.ThrottlingQuotaExceeded
        or ErrorCode.UnknownTopicId
        or ErrorCode.InconsistentTopicId
        or ErrorCode.FetchSessionTopicIdError
        or ErrorCode.ShareSessionNotFound
        or ErrorCode.InvalidShareSessionEpoch
        or ErrorCode.ShareSessionLimitReached;
}
