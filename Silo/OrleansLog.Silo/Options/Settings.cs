using System.Globalization;
using Microsoft.Extensions.Logging;

namespace OrleansLog.Silo.Options;

/// <summary>The table of settings. <c>--config</c> is apart, for it may be given many times.</summary>
internal static class Settings
{
    public const string Config = "config";

    public static readonly IReadOnlyList<Setting> All =
    [
        new("data", "DIR", "Directory that holds everything; made where it is missing [default: ./data]",
            (SiloOptions o, string text, out string? mustBe) => o with { DataDirectory = NotEmpty(text, "a directory", out mustBe) }),
        new("kafka-port", "PORT", "Port for Kafka clients; further brokers count up from it; 0 for any that is free [default: 9092]",
            (SiloOptions o, string text, out string? mustBe) => o with { KafkaPort = Number(text, 0, 65535, out mustBe) }),
        new("http-port", "PORT", "Port for /health/live, /health/ready and /metrics; 0 for any that is free [default: 8080]",
            (SiloOptions o, string text, out string? mustBe) => o with { HttpPort = Number(text, 0, 65535, out mustBe) }),
        new("brokers", "N", "Brokers in this process [default: 1]",
            (SiloOptions o, string text, out string? mustBe) => o with { Brokers = Number(text, 1, 100, out mustBe) }),
        new("racks", "RACK,...", "Where the brokers stand, in turn: replicas are spread over racks, and clients may read nearby [default: not said]",
            (SiloOptions o, string text, out string? mustBe) => o with { Racks = Names(text, out mustBe) }),
        new("host", "HOST", "Address to listen on: a name, an address, or 0.0.0.0 for all [default: 127.0.0.1]",
            (SiloOptions o, string text, out string? mustBe) => o with { Host = NotEmpty(text, "a name or an address", out mustBe) }),
        new("advertised-host", "HOST", "Name that clients are told to connect to [default: the listening address]",
            (SiloOptions o, string text, out string? mustBe) => o with { AdvertisedHost = NotEmpty(text, "a name or an address", out mustBe) }),
        new("engine", "ENGINE", "What carries the brokers: orleans, one broker a process, or embedded, all in this one [default: orleans where it was built in and --brokers is 1]",
            (SiloOptions o, string text, out string? mustBe) => o with { Engine = Choice<Engine>(text, out mustBe) }),
        new("broker-id", "N", "Who this broker is in a cluster of several processes [default: as its data directory says, or else a new one]",
            (SiloOptions o, string text, out string? mustBe) => o with { BrokerId = Number(text, 0, int.MaxValue, out mustBe) }),
        new("clustering", "KIND", "How processes find one another: local, a cluster of one; blobs, through a blob container; or orleans, as --orleans-settings says [default: local]",
            (SiloOptions o, string text, out string? mustBe) => o with { Clustering = Choice<Clustering>(text, out mustBe) }),
        new("cluster-name", "NAME", "The cluster's name among those that share a blob container [default: orleanslog]",
            (SiloOptions o, string text, out string? mustBe) => o with { ClusterName = NotEmpty(text, "a name", out mustBe) }),
        new("blob-connection", "STRING", "Connection string of the blob storage; best given by the environment variable",
            (SiloOptions o, string text, out string? mustBe) => o with { BlobConnection = NotEmpty(text, "a connection string", out mustBe) }) { IsSecret = true },
        new("blob-endpoint", "URI", "Address of the blob storage or of its container instead: with a SAS, or without, for this machine's identity; best given by the environment variable",
            (SiloOptions o, string text, out string? mustBe) => o with { BlobEndpoint = AbsoluteUri(text, out mustBe) }) { IsSecret = true },
        new("blob-container", "NAME", "Blob container that holds the cluster [default: orleanslog]",
            (SiloOptions o, string text, out string? mustBe) => o with { BlobContainer = NotEmpty(text, "a container's name", out mustBe) }),
        new("orleans-settings", "FILE", "JSON file with Orleans' own settings for --clustering orleans; variables like Orleans__Clustering__ProviderType go before it [default: appsettings.json]",
            (SiloOptions o, string text, out string? mustBe) => o with { OrleansSettings = NotEmpty(text, "a file", out mustBe) }),
        new("orleans-providers", "DIR", "Directory with the assemblies of the providers that those settings name, and of what they need",
            (SiloOptions o, string text, out string? mustBe) => o with { OrleansProviders = NotEmpty(text, "a directory", out mustBe) }),
        new("silo-port", "PORT", "Port for other silos [default: 11111; if that is in use and --clustering is local, any that is free]",
            (SiloOptions o, string text, out string? mustBe) => o with { SiloPort = Number(text, 1, 65535, out mustBe) }),
        new("gateway-port", "PORT", "Port for Orleans clients [default: 30000; if that is in use and --clustering is local, any that is free]",
            (SiloOptions o, string text, out string? mustBe) => o with { GatewayPort = Number(text, 1, 65535, out mustBe) }),
        new("log-level", "LEVEL", "Least severe messages to write to standard error: debug, information, warning, error, none [default: warning]",
            (SiloOptions o, string text, out string? mustBe) => o with { LogLevel = Choice<LogLevel>(text, out mustBe) }),
    ];

    private static string NotEmpty(string text, string what, out string? mustBe)
    {
        mustBe = string.IsNullOrWhiteSpace(text) ? what : null;
        return text;
    }

    private static string AbsoluteUri(string text, out string? mustBe)
    {
        var isOne = Uri.TryCreate(text, UriKind.Absolute, out var address) && (address.Scheme == Uri.UriSchemeHttps || address.Scheme == Uri.UriSchemeHttp);
        mustBe = isOne ? null : "an address that begins with https:// or http://";
        return text;
    }

    private static string[] Names(string text, out string? mustBe)
    {
        var names = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        mustBe = names.Length == 0 ? "one or more names, separated by commas" : null;
        return names;
    }

    private static int Number(string text, int min, int max, out string? mustBe)
    {
        var isRight = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max;
        mustBe = isRight ? null : string.Create(CultureInfo.InvariantCulture, $"a number from {min} to {max}");
        return number;
    }

    private static T Choice<T>(string text, out string? mustBe) where T : struct, Enum
    {
        var isRight = !int.TryParse(text, out _) && Enum.TryParse<T>(text, ignoreCase: true, out _);
        mustBe = isRight ? null : $"one of: {string.Join(", ", Enum.GetNames<T>()).ToLowerInvariant()}";
        return isRight ? Enum.Parse<T>(text, ignoreCase: true) : default;
    }
}
