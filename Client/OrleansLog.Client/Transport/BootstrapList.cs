using System.Collections.Immutable;
using System.Globalization;
using OrleansLog.Protocol;

namespace OrleansLog.Client.Transport;

/// <summary>Reads a list of <c>host:port</c>; IPv6 addresses stand in brackets, a missing port means 9092.</summary>
internal static class BootstrapList
{
    private const int DefaultPort = 9092;

    public static ImmutableArray<BrokerNode> Parse(string servers)
    {
        var nodes = servers.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(ParseOne).ToImmutableArray();
        return nodes.IsEmpty
            ? throw new ArgumentException("No bootstrap server is given: name at least one broker as host:port.", nameof(servers))
            : nodes;
    }

    private static BrokerNode ParseOne(string server)
    {
        var colon = server.LastIndexOf(':');
        if (colon < 0 || server.EndsWith(']')) return new BrokerNode(BrokerId.None, server.Trim('[', ']'), DefaultPort);
        if (!int.TryParse(server[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port is 0 or > 65535)
            throw new ArgumentException($"'{server}' is not a bootstrap server: write host:port, the port between 1 and 65535.", nameof(server));
        return new BrokerNode(BrokerId.None, server[..colon].Trim('[', ']'), port);
    }
}
