using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.UnitTests.Protocol.Wire;

/// <summary>
/// Tagged sections around the tags that a description asks for. An ApiVersions response knows tags 0 to 3; the body
/// before its section is <c>0000 01 00000000</c>.
/// </summary>
public sealed class TaggedFieldTests
{
    private const string Body = "000001" + "00000000";

    [Theory]
    [InlineData("01" + "0901ff")] // one above
    [InlineData("02" + "0903010203" + "0a00")] // two above
    [InlineData("00")]
    public void Unknown_tags_are_skipped(string section)
    {
        var response = Read(Body + section, out var remaining);
        Assert.Equal((0, -1L), (remaining, response.FinalizedFeaturesEpoch));
    }

    [Fact]
    public void A_known_tag_is_read_between_unknown_ones()
    {
        var response = Read(Body + "03" + "01080000000000000005" + "030101" + "0801ff", out var remaining);
        Assert.Equal(0, remaining);
        Assert.Equal((5L, true), (response.FinalizedFeaturesEpoch, response.ZkMigrationReady));
    }

    [Theory]
    [InlineData("02" + "030101" + "01080000000000000005", "tag 1 follows tag 3")]
    [InlineData("02" + "030101" + "030101", "tag 3 follows tag 3")]
    [InlineData("01" + "01090000000000000005ff", "tag 1 should end at byte 19")]
    [InlineData("01" + "0107000000000000000500", "tag 1 should end at byte 17")]
    [InlineData("01" + "097f", "needs 127 bytes, 0 remain")]
    [InlineData("ffffffff0f", "4294967295 fields in 0 bytes")]
    public void A_section_that_does_not_add_up_is_refused(string section, string problem)
    {
        var refusal = Assert.Throws<MalformedMessageException>(() => Read(Body + section, out _));
        Assert.Contains(problem, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tags_are_left_out_of_versions_that_have_none()
    {
        var response = new ApiVersionsResponse { FinalizedFeaturesEpoch = 5 };
        Assert.Equal(10, EveryMessage.Write(response, ApiKey.ApiVersions, 2).Length);
    }

    private static ApiVersionsResponse Read(string hex, out int remaining) => (ApiVersionsResponse)EveryMessage.Read(
        Convert.FromHexString(hex), ApiKey.ApiVersions, isRequest: false, 3, out remaining);
}
