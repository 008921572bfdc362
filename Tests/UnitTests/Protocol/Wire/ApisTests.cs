using OrleansLog.Protocol.Wire;

namespace OrleansLog.UnitTests.Protocol.Wire;

public sealed class ApisTests
{
    [Fact]
    public void Every_api_has_a_request_and_a_response_and_every_message_an_api()
    {
        var keys = Apis.All.Select(api => api.Key).ToHashSet();
        Assert.Equal(keys, [.. EveryMessage.RequestKeys]);
        Assert.Equal(keys, [.. EveryMessage.ResponseKeys]);
    }

    [Fact]
    public void Apis_are_listed_once_each_by_ascending_key() =>
        Assert.Equal(Apis.All.Select(api => api.Key).Distinct().Order(), Apis.All.Select(api => api.Key));

    [Fact]
    public void Produce_alone_is_advertised_below_what_is_described()
    {
        foreach (var api in Apis.All.Where(api => api.Key != ApiKey.Produce)) Assert.Equal(api.Min, api.AdvertisedMin);
        Assert.Equal((0, 3), (Apis.Find(ApiKey.Produce)!.Value.AdvertisedMin, Apis.Find(ApiKey.Produce)!.Value.Min));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(4)] // LeaderAndIsr: between brokers only
    [InlineData(short.MaxValue)]
    [InlineData(short.MinValue)]
    public void An_api_without_layouts_is_not_found(short key) => Assert.Null(Apis.Find((ApiKey)key));

    [Fact]
    public void A_range_ends_at_both_ends()
    {
        var fetch = Apis.Find(ApiKey.Fetch)!.Value;
        Assert.Equal(
            [false, true, true, false],
            new[] { 3, 4, 17, 18 }.Select(version => fetch.Supports((short)version)));
    }
}
