namespace OrleansLog.Coordination;

/// <summary>How a group wants its members to be heard of, in milliseconds; Kafka's names stand with each.</summary>
/// <param name="ConsumerSessionTimeoutMs">After which silence a member of a consumer group is given up (<c>consumer.session.timeout.ms</c>, KIP-848).</param>
/// <param name="ConsumerHeartbeatIntervalMs">How often such members are told to be heard of (<c>consumer.heartbeat.interval.ms</c>).</param>
/// <param name="ShareSessionTimeoutMs">After which silence a member of a share group is given up (<c>share.session.timeout.ms</c>, KIP-932).</param>
/// <param name="ShareHeartbeatIntervalMs">How often such members are told to be heard of (<c>share.heartbeat.interval.ms</c>).</param>
public sealed record GroupTimings(int ConsumerSessionTimeoutMs, int ConsumerHeartbeatIntervalMs, int ShareSessionTimeoutMs, int ShareHeartbeatIntervalMs);
