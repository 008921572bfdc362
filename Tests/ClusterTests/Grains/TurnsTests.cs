using OrleansLog.Grains;
using OrleansLog.Grains.Calls;

namespace OrleansLog.ClusterTests.Grains;

/// <summary>Requests of one line that arrive in any order.</summary>
public sealed class TurnsTests
{
    private readonly List<byte> _started = [];
    private readonly Turns _turns;

    public TurnsTests() => _turns = new Turns(request =>
    {
        _started.Add(request.Bytes.Span[0]);
        return new ValueTask<Payload>(request);
    });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Requests_start_in_the_order_of_their_numbers(int seed)
    {
        await TakeAsync(0);
        var numbers = Enumerable.Range(1, 200).ToArray();
        new Random(seed).Shuffle(numbers);
        var answers = await Task.WhenAll(numbers.Select(TakeAsync));

        Assert.Equal(Enumerable.Range(0, 201).Select(number => (byte)number), _started);
        Assert.Equal(numbers.Select(number => (byte)number), answers.Select(answer => answer.Bytes.Span[0]));
    }

    [Fact]
    public async Task A_line_is_opened_by_its_first_request()
    {
        await Assert.ThrowsAsync<IOException>(() => TakeAsync(1));
        await TakeAsync(0);
        await TakeAsync(1);
        Assert.Equal([0, 1], _started);
    }

    [Fact]
    public async Task A_request_that_comes_twice_is_started_once()
    {
        await TakeAsync(0);
        var early = TakeAsync(2);
        await Assert.ThrowsAsync<IOException>(() => TakeAsync(2));
        await Assert.ThrowsAsync<IOException>(() => TakeAsync(0));
        await TakeAsync(1);
        await early;
        Assert.Equal([0, 1, 2], _started);
    }

    [Fact]
    public async Task No_more_than_so_many_wait_for_one_that_is_missing()
    {
        await TakeAsync(0);
        var waiting = Enumerable.Range(2, Turns.WaitingMax).Select(TakeAsync).ToArray();
        await Assert.ThrowsAsync<IOException>(() => TakeAsync(2 + Turns.WaitingMax));
        await TakeAsync(1);
        await Task.WhenAll(waiting);
        Assert.Equal(2 + Turns.WaitingMax, _started.Count);
    }

    [Fact]
    public async Task A_request_that_cannot_be_started_does_not_hold_up_the_next()
    {
        var turns = new Turns(request => request.Bytes.Span[0] == 1 ? throw new IOException("no request") : new ValueTask<Payload>(request));
        await turns.TakeAsync(0, new byte[] { 0 });
        var third = turns.TakeAsync(2, new byte[] { 2 });
        await Assert.ThrowsAsync<IOException>(() => turns.TakeAsync(1, new byte[] { 1 }).AsTask());
        Assert.Equal(2, (await third).Bytes.Span[0]);
    }

    private async Task<Payload> TakeAsync(int number) => await _turns.TakeAsync(number, new byte[] { (byte)number });
}
