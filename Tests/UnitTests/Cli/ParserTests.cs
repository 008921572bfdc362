using System.Text;
using OrleansLog.Cli.Formats;
using OrleansLog.Protocol.Records;

namespace OrleansLog.UnitTests.Cli;

public class ParserTests
{
    private static readonly RecordTemplate Plain = new();

    [Fact]
    public void A_value_is_the_whole_line_without_a_key()
    {
        var record = Parse(new ValueParser(Plain), "a:b");
        Assert.Equal("a:b", record.Value);
        Assert.Null(record.Key);
    }

    [Fact]
    public void What_all_records_share_is_added()
    {
        var template = new RecordTemplate
        {
            Key = "k"u8.ToArray(),
            Partition = 3,
            Headers = RecordTemplate.HeadersOf([new("h", "v")]),
        };
        var record = Parse(new ValueParser(template), "x");
        Assert.Equal(("k", "x", 3, "h=v"), (record.Key, record.Value, record.Partition, record.Headers));
    }

    [Fact]
    public void The_null_text_is_a_null_and_nothing_else_is()
    {
        var template = new RecordTemplate { Null = "NULL"u8.ToArray() };
        Assert.Null(Parse(new ValueParser(template), "NULL").Value);
        Assert.Equal("NULLS", Parse(new ValueParser(template), "NULLS").Value);
        Assert.Equal("", Parse(new ValueParser(Plain), "").Value);
        var pair = Parse(new KeyValueParser(template, ":"u8.ToArray(), keyIsOptional: false), "NULL:NULL");
        Assert.Equal((null, null), (pair.Key, pair.Value));
    }

    [Theory]
    [InlineData("k:v", ":", "k", "v")]
    [InlineData("k:v:w", ":", "k", "v:w")]
    [InlineData(":v", ":", "", "v")]
    [InlineData("k:", ":", "k", "")]
    [InlineData("k=>v", "=>", "k", "v")]
    public void A_key_ends_at_the_first_separator(string line, string separator, string key, string value)
    {
        var record = Parse(new KeyValueParser(Plain, Encoding.UTF8.GetBytes(separator), keyIsOptional: false), line);
        Assert.Equal((key, value), (record.Key, record.Value));
    }

    [Fact]
    public void A_line_without_a_separator_is_an_error_unless_keys_are_optional()
    {
        var error = Assert.Throws<FormatException>(() => Parse(new KeyValueParser(Plain, ":"u8.ToArray(), keyIsOptional: false), "v"));
        Assert.Contains("has no ':'", error.Message, StringComparison.Ordinal);
        var record = Parse(new KeyValueParser(Plain, ":"u8.ToArray(), keyIsOptional: true), "v");
        Assert.Equal((null, "v"), (record.Key, record.Value));
    }

    [Theory]
    [InlineData("""{"key":"k","value":"v"}""", "k", "v")]
    [InlineData("""{"value":"v"}""", null, "v")]
    [InlineData("""{"key":null,"value":null}""", null, null)]
    [InlineData("""{"value":{"a": [1, 2]} , "key":7}""", "7", """{"a": [1, 2]}""")]
    [InlineData("""{"key":"a\"\u00e4","value":"line\nbreak"}""", "a\"ä", "line\nbreak")]
    [InlineData("""{"keyBase64":"aw==","valueBase64":"dg=="}""", "k", "v")]
    [InlineData("""{"topic":"t","offset":5,"value":true}""", null, "true")]
    public void Json_takes_strings_nulls_base64_and_raw_json(string line, string? key, string? value)
    {
        var record = Parse(new JsonParser(Plain), line);
        Assert.Equal((key, value), (record.Key, record.Value));
    }

    [Theory]
    [InlineData("""{"value":"v","headers":{"a":"1","b":null}}""", "a=1;b")]
    [InlineData("""{"value":"v","headers":[{"key":"a","value":"1"},{"key":"a","valueBase64":"Mg=="}]}""", "a=1;a=2")]
    [InlineData("""{"value":"v","headers":[]}""", "")]
    public void Json_headers_come_as_an_object_or_in_order(string line, string headers) =>
        Assert.Equal(headers, Parse(new JsonParser(Plain), line).Headers);

    [Theory]
    [InlineData("""{"value":"v","timestamp":1748779200000}""", 1748779200000)]
    [InlineData("""{"value":"v","timestamp":"2025-06-01T12:00:00Z"}""", 1748779200000)]
    [InlineData("""{"value":"v"}""", null)]
    public void Json_timestamps_are_milliseconds_or_iso(string line, long? expected) =>
        Assert.Equal(expected, Parse(new JsonParser(Plain), line).TimestampMs);

    [Fact]
    public void A_partition_on_the_command_line_goes_before_one_in_the_line()
    {
        const string Line = """{"value":"v","partition":2}""";
        Assert.Equal(2, Parse(new JsonParser(Plain), Line).Partition);
        Assert.Equal(1, Parse(new JsonParser(new RecordTemplate { Partition = 1 }), Line).Partition);
    }

    [Fact]
    public void Headers_of_one_line_do_not_leak_into_the_next()
    {
        var parser = new JsonParser(Plain);
        Parse(parser, """{"key":"k","value":"v","partition":2,"headers":{"a":"1"}}""");
        var next = Parse(parser, """{"value":"w"}""");
        Assert.Equal((null, "w", null, ""), (next.Key, next.Value, next.Partition, next.Headers));
    }

    [Theory]
    [InlineData("", "not JSON")]
    [InlineData("soup", "not JSON")]
    [InlineData("""{"value":"v" """, "not JSON")]
    [InlineData("[1]", "not a JSON object")]
    [InlineData("{}", "has no \"value\"")]
    [InlineData("""{"vlaue":"v"}""", "did you mean 'value'?")]
    [InlineData("""{"value":"v"} x""", "not JSON")]
    [InlineData("""{"valueBase64":"&&"}""", "not base64")]
    [InlineData("""{"value":"v","partition":-1}""", "\"partition\"")]
    [InlineData("""{"value":"v","timestamp":"noon"}""", "\"timestamp\"")]
    [InlineData("""{"value":"v","headers":"h"}""", "\"headers\"")]
    public void Bad_json_is_explained(string line, string expected)
    {
        var error = Assert.Throws<FormatException>(() => Parse(new JsonParser(Plain), line));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private static Parsed Parse(IRecordParser parser, string line)
    {
        var record = parser.Parse(Encoding.UTF8.GetBytes(line));
        return new Parsed(
            record.HasKey ? Encoding.UTF8.GetString(record.Key) : null,
            record.IsTombstone ? null : Encoding.UTF8.GetString(record.Value),
            record.Partition,
            record.TimestampMs,
            string.Join(';', record.Headers.ToArray().Select(Show)));
    }

    private static string Show(RecordHeader header) =>
        header.Value is { } value ? $"{header.Key}={Encoding.UTF8.GetString(value.Span)}" : header.Key;

    private sealed record Parsed(string? Key, string? Value, int? Partition, long? TimestampMs, string Headers);
}
