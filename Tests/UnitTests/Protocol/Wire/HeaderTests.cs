using System.Buffers;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.UnitTests.Protocol.Wire;

public sealed class HeaderTests
{
    [Theory]
    [InlineData(ApiKey.Metadata, 8, "00030008000000070002636c")]
    [InlineData(ApiKey.Metadata, 9, "00030009000000070002636c00")]
    [InlineData(ApiKey.SaslHandshake, 1, "00110001000000070002636c")]
    public void A_request_header_has_tags_where_the_version_is_flexible(ApiKey key, short version, string hex)
    {
        var header = new RequestHeader(key, version, 7, "cl");
        Assert.Equal(hex, Written((ref WireWriter writer) => header.Write(ref writer)));

        var reader = new WireReader(Convert.FromHexString(hex));
        Assert.Equal(header, RequestHeader.Read(ref reader));
        Assert.Equal(
            (0, version, Apis.IsFlexible(key, version)),
            (reader.Remaining, reader.Version, reader.IsFlexible));
    }

    [Fact]
    public void The_client_id_may_be_null()
    {
        var header = new RequestHeader(ApiKey.Metadata, 9, 7, null);
        Assert.Equal("0003000900000007ffff00", Written((ref WireWriter writer) => header.Write(ref writer)));
    }

    [Fact]
    public void A_request_header_with_unknown_tags_ends_at_the_body()
    {
        var reader = new WireReader(Convert.FromHexString("00030009000000070000" + "0205016109020102" + "ff"));
        Assert.Equal("", RequestHeader.Read(ref reader).ClientId);
        Assert.Equal(1, reader.Remaining);
    }

    [Fact]
    public void The_header_of_an_unknown_api_is_still_read()
    {
        var reader = new WireReader(Convert.FromHexString("7fff00630000000700020102"));
        var header = RequestHeader.Read(ref reader);
        Assert.Equal(new RequestHeader((ApiKey)short.MaxValue, 0x63, 7, "\u0001\u0002"), header);
        Assert.Null(Apis.Find(header.ApiKey));
    }

    [Theory]
    [InlineData(ApiKey.Metadata, 8, "00000102")]
    [InlineData(ApiKey.Metadata, 9, "0000010200")]
    [InlineData(ApiKey.ApiVersions, 2, "00000102")]
    [InlineData(ApiKey.ApiVersions, 4, "00000102")]
    public void A_response_header_has_tags_where_the_version_is_flexible_but_for_ApiVersions(
        ApiKey key, short version, string hex)
    {
        var header = new ResponseHeader(258);
        Assert.Equal(hex, Written((ref WireWriter writer) => header.Write(ref writer, key, version)));

        var reader = new WireReader(Convert.FromHexString(hex));
        Assert.Equal(header, ResponseHeader.Read(ref reader, key, version));
        Assert.Equal(
            (0, version, Apis.IsFlexible(key, version)),
            (reader.Remaining, reader.Version, reader.IsFlexible));
    }

    [Fact]
    public void An_ApiVersions_body_is_flexible_after_a_header_that_is_not()
    {
        var written = Written((ref WireWriter writer) =>
        {
            new ResponseHeader(1).Write(ref writer, ApiKey.ApiVersions, 3);
            writer.Write(new ApiVersionsResponse());
        });
        Assert.Equal("00000001" + "0000" + "01" + "00000000" + "00", written);
    }

    private delegate void Writing(ref WireWriter writer);

    private static string Written(Writing write)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new WireWriter(output);
        write(ref writer);
        writer.Flush();
        return Convert.ToHexStringLower(output.WrittenSpan);
    }
}
