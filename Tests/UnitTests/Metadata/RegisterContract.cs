using System.Text;
using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.UnitTests.Metadata;

/// <summary>What every metadata register must keep to.</summary>
public abstract class RegisterContract
{
    /// <summary>A client of the store of this test; each call another client of the same one, where there can be several.</summary>
    protected abstract Task<IMetadataRegister> OpenAsync();

    [Fact]
    public async Task What_was_put_is_there()
    {
        var register = await OpenAsync();
        Assert.Null(await register.GetAsync("topics/orders", default));
        var version = await register.PutAsync("topics/orders", Bytes("one"), expected: null, default);
        Assert.NotNull(version);
        Assert.Equal(("one", version), await ReadAsync(await OpenAsync(), "topics/orders"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100_000)]
    public async Task Documents_of_any_size_come_back_byte_by_byte(int size)
    {
        var register = await OpenAsync();
        var document = new byte[size];
        new Random(7).NextBytes(document);
        await register.PutAsync("a", document, expected: null, default);
        Assert.Equal(document, (await register.GetAsync("a", default))!.Document.ToArray());
    }

    [Fact]
    public async Task A_write_wins_against_the_version_it_has_seen_alone()
    {
        var register = await OpenAsync();
        var first = await register.PutAsync("a", Bytes("one"), expected: null, default);
        Assert.Null(await register.PutAsync("a", Bytes("blind"), expected: null, default));
        var second = await register.PutAsync("a", Bytes("two"), first, default);
        Assert.NotNull(second);
        Assert.NotEqual(first, second);
        Assert.Null(await register.PutAsync("a", Bytes("late"), first, default));
        Assert.Equal(("two", second), await ReadAsync(register, "a"));
    }

    [Fact]
    public async Task What_is_not_there_cannot_be_replaced_or_deleted()
    {
        var register = await OpenAsync();
        var elsewhere = (await register.PutAsync("b", Bytes("one"), expected: null, default))!.Value;
        Assert.Null(await register.PutAsync("a", Bytes("two"), elsewhere, default));
        Assert.False(await register.DeleteAsync("a", elsewhere, default));
        Assert.Null(await register.GetAsync("a", default));
    }

    [Fact]
    public async Task A_document_is_deleted_by_whoever_has_seen_its_last_version()
    {
        var register = await OpenAsync();
        var first = (await register.PutAsync("a", Bytes("one"), expected: null, default))!.Value;
        var second = (await register.PutAsync("a", Bytes("two"), first, default))!.Value;
        Assert.False(await register.DeleteAsync("a", first, default));
        Assert.Equal(("two", second), await ReadAsync(register, "a"));
        Assert.True(await register.DeleteAsync("a", second, default));
        Assert.Null(await register.GetAsync("a", default));
        Assert.False(await register.DeleteAsync("a", second, default));
    }

    [Fact]
    public async Task A_document_made_again_is_another_one_though_it_says_the_same()
    {
        var register = await OpenAsync();
        var before = (await register.PutAsync("a", Bytes("same"), expected: null, default))!.Value;
        Assert.True(await register.DeleteAsync("a", before, default));
        var after = (await register.PutAsync("a", Bytes("same"), expected: null, default))!.Value;
        Assert.NotEqual(before, after);
        Assert.Null(await register.PutAsync("a", Bytes("late"), before, default));
        Assert.False(await register.DeleteAsync("a", before, default));
        Assert.Equal(("same", after), await ReadAsync(register, "a"));
    }

    [Fact]
    public async Task Keys_are_listed_by_prefix_in_ordinal_order()
    {
        var register = await OpenAsync();
        Assert.Empty(await register.ListAsync("", default));
        // Among them names that order otherwise with an extension behind them.
        foreach (var key in new[] { "topics/b", "topics/a.b", "topics/a", "topics/a-1", "topics/A_b", "topics2/x", "cluster" })
            await register.PutAsync(key, Bytes(key), expected: null, default);
        Assert.Equal(["topics/A_b", "topics/a", "topics/a-1", "topics/a.b", "topics/b"], await register.ListAsync("topics/", default));
        Assert.Equal(["topics/a", "topics/a-1", "topics/a.b"], await register.ListAsync("topics/a", default));
        Assert.Equal(7, (await register.ListAsync("", default)).Count);
        Assert.Empty(await register.ListAsync("partitions/", default));
    }

    [Fact]
    public async Task Of_two_that_count_at_once_neither_loses_a_step()
    {
        const int Steps = 15;
        var start = await (await OpenAsync()).PutAsync("count", Bytes("0"), expected: null, default);
        Assert.NotNull(start);
        await Task.WhenAll(CountAsync(await OpenAsync(), Steps), CountAsync(await OpenAsync(), Steps));
        Assert.Equal($"{2 * Steps}", (await ReadAsync(await OpenAsync(), "count")).Text);
    }

    [Fact]
    public async Task Of_two_that_create_at_once_one_wins()
    {
        var (one, other) = (await OpenAsync(), await OpenAsync());
        for (var i = 0; i < 10; i++)
        {
            var results = await Task.WhenAll(
                one.PutAsync($"k{i}", Bytes("one"), expected: null, default).AsTask(),
                other.PutAsync($"k{i}", Bytes("other"), expected: null, default).AsTask());
            var won = Assert.Single(results, version => version is not null);
            Assert.Equal((results[0] is null ? "other" : "one", won), await ReadAsync(one, $"k{i}"));
        }
    }

    [Fact]
    public async Task A_partition_changes_for_one_of_two_and_the_other_learns_how()
    {
        var partition = new TopicPartition("orders", 0);
        var (one, other) = (await OpenAsync(), await OpenAsync());
        var created = await Writer(one, "a").ChangeAsync(partition, Record(), expected: null, default);
        Assert.True(created.IsAccepted);
        var lost = await Writer(other, "b").ChangeAsync(partition, Record(), expected: null, default);
        Assert.False(lost.IsAccepted);
        Assert.Equal(created.Current!.Version, lost.Current!.Version);
        Assert.Equal(created.Current.Record.Nonce, lost.Current.Record.Nonce);
    }

    protected static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);

    protected static async Task<(string Text, RegisterVersion? Version)> ReadAsync(IMetadataRegister register, string key)
    {
        var entry = await register.GetAsync(key, default);
        Assert.NotNull(entry);
        return (Encoding.UTF8.GetString(entry.Document.Span), entry.Version);
    }

    /// <summary>A writer of partition records that draws <paramref name="name"/>1, <paramref name="name"/>2 and so on.</summary>
    protected static PartitionRegister Writer(IMetadataRegister register, string name)
    {
        var drawn = 0;
        return new PartitionRegister(register, () => $"{name}{++drawn}", TimeProvider.System, retryDelayMs: 1);
    }

    protected static PartitionRecord Record() => PartitionRecord.Create([new InSyncReplica(new BrokerId(1), 1)], "new");

    private static async Task CountAsync(IMetadataRegister register, int steps)
    {
        for (var done = 0; done < steps;)
        {
            var (text, version) = await ReadAsync(register, "count");
            if (await register.PutAsync("count", Bytes($"{int.Parse(text) + 1}"), version, default) is not null) done++;
        }
    }
}
