using OrleansLog.Protocol.Wire;

namespace OrleansLog.UnitTests.Protocol.Wire;

/// <summary>Whatever arrives is a message or a <see cref="MalformedMessageException"/>, at a bounded price.</summary>
public sealed class HostileInputTests
{
    private const int SeedsPerMessage = 40;

    /// <summary>What a reader may allocate for each byte it was given, and besides for the message itself.</summary>
    private const long AllocatedPerByteMax = 200, AllocatedMax = 16 * 1024;

    public static IEnumerable<TheoryDataRow<ApiKey, bool, short>> Messages() => EveryMessage.InEveryVersion();

    [Theory, MemberData(nameof(Messages))]
    public void Mutated_messages_are_read_or_refused(ApiKey key, bool isRequest, short version)
    {
        for (var seed = 0; seed < SeedsPerMessage; seed++)
        {
            var random = new Random(seed);
            var bytes = EveryMessage.Write(EveryMessage.CreateRandom(key, isRequest, version, seed), key, version);
            ReadOrRefuse(Mutate(bytes, random), key, isRequest, version);
        }
    }

    [Theory, MemberData(nameof(Messages))]
    public void A_message_cut_short_anywhere_is_refused(ApiKey key, bool isRequest, short version)
    {
        var bytes = EveryMessage.Write(EveryMessage.CreateRandom(key, isRequest, version, 1), key, version);
        for (var length = 0; length < bytes.Length; length++)
        {
            var cut = bytes[..length];
            Assert.Throws<MalformedMessageException>(() => EveryMessage.Read(cut, key, isRequest, version, out _));
        }
    }

    [Fact]
    public void Noise_is_read_or_refused()
    {
        var random = new Random(7);
        foreach (var api in Apis.All)
        {
            for (var round = 0; round < 200; round++)
            {
                var noise = new byte[random.Next(200)];
                random.NextBytes(noise);
                ReadOrRefuse(noise, api.Key, isRequest: round % 2 == 0, (short)random.Next(api.Min, api.Max + 1));
            }
        }
    }

    /// <summary>
    /// The lesser of two attempts counts: what the runtime itself allocates the first time that code runs is not the
    /// message's doing.
    /// </summary>
    private static void ReadOrRefuse(byte[] bytes, ApiKey key, bool isRequest, short version)
    {
        var allocatedMax = AllocatedMax + AllocatedPerByteMax * bytes.Length;
        var allocated = AllocatedByAttempt(bytes, key, isRequest, version);
        if (allocated > allocatedMax)
            allocated = AllocatedByAttempt(bytes, key, isRequest, version);
        Assert.InRange(allocated, 0, allocatedMax);
    }

    private static long AllocatedByAttempt(byte[] bytes, ApiKey key, bool isRequest, short version)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            EveryMessage.Read(bytes, key, isRequest, version, out _);
        }
        catch (MalformedMessageException refusal)
        {
            Assert.InRange(refusal.Position, 0, bytes.Length);
        }
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    /// <summary>Overwrites a few bytes, often with the extremes of lengths, and may take some out or put some in.</summary>
    private static byte[] Mutate(byte[] bytes, Random random)
    {
        var mutated = bytes.ToList();
        for (var count = random.Next(1, 5); count > 0 && mutated.Count > 0; count--)
        {
            var at = random.Next(mutated.Count);
            mutated[at] = random.Next(4) switch { 0 => 0xFF, 1 => 0x7F, 2 => 0, _ => (byte)random.Next(256) };
            if (random.Next(4) == 0) mutated.RemoveAt(at);
            if (random.Next(4) == 0) mutated.Insert(at, (byte)random.Next(256));
        }
        return [.. mutated];
    }
}
