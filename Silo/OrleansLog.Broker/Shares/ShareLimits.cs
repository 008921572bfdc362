using OrleansLog.Broker.Configuration;

namespace OrleansLog.Broker.Shares;

/// <summary>How much a broker serves share groups with.</summary>
/// <param name="SessionsMax">Members that it serves at a time (<c>group.share.max.share.sessions</c>).</param>
/// <param name="SessionPartitionsMax">Partitions of one session.</param>
public sealed record ShareLimits(int SessionsMax, int SessionPartitionsMax = 10_000)
{
    public static ShareLimits From(ConfigValues config) => new(config.Get(BrokerConfigs.GroupShareMaxShareSessions));
}
