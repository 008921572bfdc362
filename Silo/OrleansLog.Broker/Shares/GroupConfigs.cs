using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using OrleansLog.Broker.Configuration;
using OrleansLog.Coordination;
using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.Broker.Shares;

/// <summary>
/// The configuration that was set for groups: a document of the metadata register each. What was read is believed for a few
/// seconds, so a change takes that long to reach every broker. Any thread.
/// </summary>
public sealed class GroupConfigs(IMetadataRegister register, ConfigValues defaults, TimeProvider time)
{
    private const string KeyPrefix = "group-configs/";
    private const int CachedMax = 10_000;
    private static readonly TimeSpan BelievedFor = TimeSpan.FromSeconds(5);

    // The groups that have anything set are few, and the list of them says which: the others cost nothing.
    private static readonly TimeSpan ListedFor = TimeSpan.FromSeconds(10);

    private ImmutableDictionary<string, GroupTimings> _timings = ImmutableDictionary.Create<string, GroupTimings>(StringComparer.Ordinal);
    private long _listedAt = -1;
    private int _isListing;

    private readonly ConcurrentDictionary<string, (ConfigValues Values, long ReadAt)> _cached = new(StringComparer.Ordinal);

    /// <summary>What holds for a group.</summary>
    /// <exception cref="IOException">The register cannot be read, and nothing is known from before.</exception>
    public async ValueTask<ConfigValues> ReadAsync(string group, CancellationToken cancellationToken)
    {
        var isKnown = _cached.TryGetValue(group, out var cached);
        if (isKnown && time.GetElapsedTime(cached.ReadAt) < BelievedFor)
            return cached.Values;
        try
        {
            var entry = await register.GetAsync(KeyOf(group), cancellationToken);
            return Remember(group, entry is null ? defaults : defaults.ForGroup(GroupConfigRecord.Parse(entry.Document.Span)));
        }
        catch (IOException) when (isKnown)
        {
            return cached.Values;
        }
    }

    /// <summary>
    /// How the members of a group are to be heard of; null where nothing was set for the group, as far as is known. Never waits:
    /// what has changed is looked for behind, so that a change made at another broker counts here some ten seconds later.
    /// </summary>
    public GroupTimings? FindTimings(string group)
    {
        var listedAt = Volatile.Read(ref _listedAt);
        if ((listedAt < 0 || time.GetElapsedTime(listedAt) >= ListedFor) && Interlocked.Exchange(ref _isListing, 1) == 0)
            _ = ListAsync();
        return Volatile.Read(ref _timings).GetValueOrDefault(group);
    }

    /// <summary>The groups for which anything is set, in the order of their ids.</summary>
    /// <exception cref="IOException">The register cannot be read.</exception>
    public async Task<IReadOnlyList<string>> ListGroupsAsync(CancellationToken cancellationToken) =>
        [.. (await ReadAllAsync(register, cancellationToken)).Where(group => group.Value.Count > 0).Select(group => group.Key).Order(StringComparer.Ordinal)];

    private async Task ListAsync()
    {
        try
        {
            var all = await ReadAllAsync(register, CancellationToken.None);
            var listed = ImmutableDictionary.CreateBuilder<string, GroupTimings>(StringComparer.Ordinal);
            foreach (var (group, config) in all)
            {
                if (TimingsOf(config.ToImmutableDictionary(StringComparer.Ordinal)) is { } timings)
                    listed[group] = timings;
            }
            Volatile.Write(ref _timings, listed.ToImmutable());
        }
        catch (Exception failed) when (failed is IOException or InvalidDataException)
        {
            // What is known from before holds on.
        }
        Volatile.Write(ref _listedAt, time.GetTimestamp());
        Volatile.Write(ref _isListing, 0);
    }

    private GroupTimings? TimingsOf(ImmutableDictionary<string, string> overrides) =>
        overrides.IsEmpty ? null : GroupConfigDefinitions.Timings(defaults.ForGroup(overrides));

    private void NoteTimings(string group, ImmutableDictionary<string, string> overrides)
    {
        if (TimingsOf(overrides) is { } timings)
            ImmutableInterlocked.AddOrUpdate(ref _timings, group, timings, (_, _) => timings);
        else
            ImmutableInterlocked.TryRemove(ref _timings, group, out _);
    }

    /// <summary>Changes the configuration of a group, which need not exist (yet).</summary>
    /// <param name="group">Its id.</param>
    /// <param name="change">Makes the new settings of those there are. May be asked more than once.</param>
    /// <param name="validateOnly">Whether nothing is to be changed.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<(ErrorCode Error, string? Message)> AlterAsync(
        string group, Func<ImmutableDictionary<string, string>, ConfigChangeResult> change, bool validateOnly, CancellationToken cancellationToken)
    {
        while (true)
        {
            var entry = await register.GetAsync(KeyOf(group), cancellationToken);
            var result = change(entry is null ? ImmutableDictionary.Create<string, string>(StringComparer.Ordinal) : GroupConfigRecord.Parse(entry.Document.Span));
            if (result.Error != ErrorCode.None || validateOnly)
                return (result.Error, result.Message);
            if (await register.PutAsync(KeyOf(group), new GroupConfigRecord(group, new(result.Overrides, StringComparer.Ordinal)).Serialize(), entry?.Version, cancellationToken) is null)
                continue;
            Remember(group, defaults.ForGroup(result.Overrides));
            NoteTimings(group, result.Overrides);
            return (ErrorCode.None, null);
        }
    }

    /// <summary>What was set for all groups, by their ids.</summary>
    internal static async Task<Dictionary<string, SortedDictionary<string, string>>> ReadAllAsync(IMetadataRegister register, CancellationToken cancellationToken)
    {
        Dictionary<string, SortedDictionary<string, string>> all = new(StringComparer.Ordinal);
        foreach (var key in await register.ListAsync(KeyPrefix, cancellationToken))
        {
            if (await register.GetAsync(key, cancellationToken) is { } entry)
            {
                var record = GroupConfigRecord.ParseWhole(entry.Document.Span);
                all[record.Group] = record.Config;
            }
        }
        return all;
    }

    /// <summary>Sets again what was set for a group, unless something is set by now.</summary>
    internal static async Task RestoreAsync(IMetadataRegister register, string group, SortedDictionary<string, string> config, CancellationToken cancellationToken) =>
        await register.PutAsync(KeyOf(group), new GroupConfigRecord(group, config).Serialize(), expected: null, cancellationToken);

    private ConfigValues Remember(string group, ConfigValues values)
    {
        if (_cached.Count >= CachedMax)
            _cached.Clear();
        _cached[group] = (values, time.GetTimestamp());
        return values;
    }

    // A group may be called what no file may.
    private static string KeyOf(string group) => KeyPrefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(group)));
}

/// <summary>What the register says of a group.</summary>
internal sealed record GroupConfigRecord(string Group, SortedDictionary<string, string> Config)
{
    public byte[] Serialize() => JsonSerializer.SerializeToUtf8Bytes(this, GroupConfigJson.Default.GroupConfigRecord);

    /// <exception cref="InvalidDataException">The document is not what was written.</exception>
    public static ImmutableDictionary<string, string> Parse(ReadOnlySpan<byte> document) => ParseWhole(document).Config.ToImmutableDictionary(StringComparer.Ordinal);

    /// <exception cref="InvalidDataException">The document is not what was written.</exception>
    public static GroupConfigRecord ParseWhole(ReadOnlySpan<byte> document)
    {
        try
        {
            return JsonSerializer.Deserialize(document, GroupConfigJson.Default.GroupConfigRecord)
                ?? throw new InvalidDataException("The configuration of a group holds nothing.");
        }
        catch (JsonException malformed)
        {
            throw new InvalidDataException($"The configuration of a group cannot be read: {malformed.Message}", malformed);
        }
    }
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(GroupConfigRecord))]
internal sealed partial class GroupConfigJson : JsonSerializerContext;
