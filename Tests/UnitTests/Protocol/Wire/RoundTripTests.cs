using OrleansLog.Protocol.Wire;

namespace OrleansLog.UnitTests.Protocol.Wire;

public sealed class RoundTripTests
{
    private const int SeedsPerMessage = 20;

    public static IEnumerable<TheoryDataRow<ApiKey, bool, short>> Messages() => EveryMessage.InEveryVersion();

    [Theory, MemberData(nameof(Messages))]
    public void What_was_written_is_read_and_written_again_alike(ApiKey key, bool isRequest, short version)
    {
        for (var seed = 0; seed < SeedsPerMessage; seed++)
        {
            var bytes = EveryMessage.Write(EveryMessage.CreateRandom(key, isRequest, version, seed), key, version);
            var read = EveryMessage.Read(bytes, key, isRequest, version, out var remaining);
            Assert.Equal(0, remaining);
            Assert.Equal(bytes, EveryMessage.Write(read, key, version));
        }
    }

    [Theory, MemberData(nameof(Messages))]
    public void A_message_with_nothing_set_can_be_written_and_read(ApiKey key, bool isRequest, short version)
    {
        var bytes = EveryMessage.Write(EveryMessage.Create(key, isRequest), key, version);
        EveryMessage.Read(bytes, key, isRequest, version, out var remaining);
        Assert.Equal(0, remaining);
    }
}
