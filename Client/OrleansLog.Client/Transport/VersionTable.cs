using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Client.Transport;

/// <summary>Which versions of which requests a broker speaks.</summary>
internal sealed class VersionTable(IReadOnlyDictionary<ApiKey, (short Min, short Max)> ranges)
{
    /// <summary>Before a broker has said what it speaks: only that question may be asked.</summary>
    public static readonly VersionTable ForHandshake = new(new Dictionary<ApiKey, (short, short)>
    {
        [ApiKey.ApiVersions] = (0, short.MaxValue),
    });

    public static VersionTable From(ApiVersionsResponse response) => new(
        response.ApiKeys.ToDictionary(api => (ApiKey)api.ApiKey, api => (api.MinVersion, api.MaxVersion)));

    /// <summary>The versions that the broker and this client have in common, or null.</summary>
    public (short Min, short Max)? Common(ApiKey api, short min, short max)
    {
        if (!ranges.TryGetValue(api, out var broker)) return null;
        var common = (Min: Math.Max(min, broker.Min), Max: Math.Min(max, broker.Max));
        return common.Min <= common.Max ? common : null;
    }

    /// <summary>The highest version that both speak.</summary>
    public short Pick(OutgoingRequest request, string endpoint) =>
        Common(request.Api, request.VersionMin, request.VersionMax)?.Max ?? throw new OrleansLogException(
            ErrorCode.UnsupportedVersion,
            $"The broker at {endpoint} speaks {Describe(request.Api)}, this client needs versions {request.VersionMin} to {request.VersionMax}: use a newer broker.");

    private string Describe(ApiKey api) =>
        ranges.TryGetValue(api, out var range) ? $"{api} versions {range.Min} to {range.Max}" : $"no {api}";
}
