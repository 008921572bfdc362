using System.Text.Json;
using System.Text.Json.Serialization;
using Orleans.Runtime;

namespace OrleansLog.Membership;

/// <summary>All of a membership table but the signs of life, as it is written: names and plain numbers, so that people can read and mend it.</summary>
/// <param name="Version">The table's version, which Orleans counts.</param>
/// <param name="Writes">The nonces of the latest writes, the last one last: by these a writer whose answer was lost finds its write.</param>
/// <param name="Members">A row per silo.</param>
internal sealed record MembershipDocument(int Version, string[] Writes, MemberRow[] Members)
{
    /// <summary>Of how many writes a document remembers the nonces.</summary>
    public const int WritesMax = 32;

    public static MembershipDocument Empty { get; } = new(0, [], []);

    /// <exception cref="InvalidDataException">The bytes are no such document.</exception>
    public static MembershipDocument Parse(ReadOnlySpan<byte> utf8)
    {
        try
        {
            var document = JsonSerializer.Deserialize(utf8, MembershipJson.Default.MembershipDocument) ?? throw new JsonException("It holds nothing.");
            foreach (var row in document.Members) row.CheckAddresses();
            return document;
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            throw new InvalidDataException(e.Message, e);
        }
    }

    public BinaryData ToBytes() => BinaryData.FromBytes(JsonSerializer.SerializeToUtf8Bytes(this, MembershipJson.Default.MembershipDocument));

    public MemberRow? Find(SiloAddress silo)
    {
        var key = silo.ToParsableString();
        return Array.Find(Members, row => row.Silo == key);
    }

    /// <summary>The document after one more write.</summary>
    public MembershipDocument After(string nonce, int version, IEnumerable<MemberRow> members) =>
        new(version, [.. Writes.TakeLast(WritesMax - 1), nonce], [.. members]);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true, WriteIndented = true)]
[JsonSerializable(typeof(MembershipDocument))]
internal sealed partial class MembershipJson : JsonSerializerContext;
