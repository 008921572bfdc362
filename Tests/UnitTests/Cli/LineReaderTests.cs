using System.Text;
using OrleansLog.Cli;
using OrleansLog.Cli.Formats;

namespace OrleansLog.UnitTests.Cli;

public class LineReaderTests
{
    [Theory]
    [InlineData("", new string[0])]
    [InlineData("\n", new[] { "" })]
    [InlineData("a", new[] { "a" })]
    [InlineData("a\n", new[] { "a" })]
    [InlineData("a\nb", new[] { "a", "b" })]
    [InlineData("a\n\n\nb\n", new[] { "a", "", "", "b" })]
    [InlineData("a\r\nb\r\n", new[] { "a\r", "b\r" })]
    public async Task Lines_end_at_line_feeds_and_the_last_needs_none(string text, string[] expected)
    {
        var lines = await ReadAll(new MemoryStream(Encoding.UTF8.GetBytes(text)), blockBytes: 4);
        Assert.Equal(expected, lines.Select(Encoding.UTF8.GetString));
    }

    [Fact]
    public async Task Bytes_that_are_not_text_pass_unchanged()
    {
        byte[] odd = [0xFF, 0x00, 0xC3, 0x28, 0x0D, 0x80];
        var lines = await ReadAll(new MemoryStream([.. odd, (byte)'\n', .. odd]), blockBytes: 3);
        Assert.Equal([odd, odd], lines);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(100_000)]
    public async Task Lines_of_all_lengths_survive_blocks_of_any_size_and_short_reads(int blockBytes)
    {
        var random = new Random(blockBytes);
        var expected = Enumerable.Range(0, 500).Select(_ => Word(random, random.Next(200))).ToArray();
        var bytes = Encoding.UTF8.GetBytes(string.Join('\n', expected) + '\n');
        var lines = await ReadAll(new DribblingStream(bytes, random), blockBytes);
        Assert.Equal(expected, lines.Select(Encoding.UTF8.GetString));
    }

    [Fact]
    public async Task A_line_that_no_record_can_hold_is_an_error_that_names_it()
    {
        var reader = new LineReader(new EndlessStream(), blockBytes: 16, lineBytesMax: 1000);
        var error = await Assert.ThrowsAsync<CommandException>(async () =>
        {
            while (await reader.FillAsync(CancellationToken.None)) Assert.False(reader.TryRead(out _));
        });
        Assert.Contains("line 1 ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelling_does_not_wait_for_an_input_that_says_nothing()
    {
        using var stop = new CancellationTokenSource();
        using var silent = new SilentStream();
        var filling = new LineReader(silent).FillAsync(stop.Token).AsTask();
        Assert.False(filling.IsCompleted);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => filling);
    }

    private static async Task<List<byte[]>> ReadAll(Stream source, int blockBytes)
    {
        var reader = new LineReader(source, blockBytes);
        var lines = new List<byte[]>();
        while (await reader.FillAsync(CancellationToken.None))
            while (reader.TryRead(out var line)) lines.Add(line.ToArray());
        Assert.Equal(lines.Count, reader.LineNumber);
        return lines;
    }

    private static string Word(Random random, int length) => random.GetString("abcdefghij", length);

    private sealed class DribblingStream(byte[] bytes, Random random) : MemoryStream(bytes)
    {
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, random.Next(1, 50)));
    }

    private sealed class EndlessStream : MemoryStream
    {
        public override int Read(byte[] buffer, int offset, int count)
        {
            buffer.AsSpan(offset, count).Fill((byte)'x');
            return count;
        }
    }

    private sealed class SilentStream : MemoryStream
    {
        private readonly SemaphoreSlim _end = new(0);

        public override int Read(byte[] buffer, int offset, int count)
        {
            _end.Wait();
            return 0;
        }

        protected override void Dispose(bool disposing)
        {
            _end.Release();
            base.Dispose(disposing);
        }
    }
}
