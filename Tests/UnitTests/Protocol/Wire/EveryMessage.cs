using System.Buffers;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.UnitTests.Protocol.Wire;

/// <summary>The request and the response of every API of <see cref="Apis"/>, found by their interfaces.</summary>
internal static class EveryMessage
{
    private static readonly Dictionary<ApiKey, Type> Requests = Find(typeof(IRequest));
    private static readonly Dictionary<ApiKey, Type> Responses = Find(typeof(IResponse));

    public static IEnumerable<ApiKey> RequestKeys => Requests.Keys;
    public static IEnumerable<ApiKey> ResponseKeys => Responses.Keys;

    /// <summary>Every message in every version, as rows of a theory: the API, whether it is the request, the version.</summary>
    public static IEnumerable<TheoryDataRow<ApiKey, bool, short>> InEveryVersion() =>
        from api in Apis.All
        from isRequest in new[] { true, false }
        from version in Enumerable.Range(api.Min, api.Max - api.Min + 1)
        select new TheoryDataRow<ApiKey, bool, short>(api.Key, isRequest, (short)version);

    public static IMessage Create(ApiKey key, bool isRequest) =>
        (IMessage)Activator.CreateInstance((isRequest ? Requests : Responses)[key])!;

    public static IMessage CreateRandom(ApiKey key, bool isRequest, short version, int seed)
    {
        var message = Create(key, isRequest);
        RandomFiller.Fill(message, Apis.Find(key)!.Value, version, seed);
        return message;
    }

    public static byte[] Write(IMessage message, ApiKey key, short version)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new WireWriter(output, version, Apis.IsFlexible(key, version));
        message.Describe(ref writer);
        writer.Flush();
        Assert.Equal(output.WrittenCount, writer.Position);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Reads a message and says how many bytes it left.</summary>
    public static IMessage Read(byte[] bytes, ApiKey key, bool isRequest, short version, out int remaining)
    {
        var message = Create(key, isRequest);
        var reader = new WireReader(bytes, version, Apis.IsFlexible(key, version));
        message.Describe(ref reader);
        remaining = reader.Remaining;
        return message;
    }

    private static Dictionary<ApiKey, Type> Find(Type kind) =>
        kind.Assembly.GetTypes()
            .Where(type => type.IsClass && kind.IsAssignableFrom(type))
            .ToDictionary(type => (ApiKey)type.GetProperty(nameof(IRequest.Api))!.GetValue(null)!);
}
