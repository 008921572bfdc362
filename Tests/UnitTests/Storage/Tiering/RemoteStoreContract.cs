using OrleansLog.Broker.Files;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.UnitTests.Storage.Tiering;

/// <summary>What every remote store keeps to.</summary>
public abstract class RemoteStoreContract : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("orleanslog-remote-");

    private protected PhysicalFileSystem Files { get; } = new();

    private protected string StoreDirectory => Path.Combine(_directory.FullName, "store");

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        Dispose(true);
    }

    protected abstract Task<IRemoteStore> OpenAsync();

    [Fact]
    public async Task An_object_reads_as_the_part_of_the_file_that_it_was_made_from()
    {
        var store = await OpenAsync();
        await WriteAsync(store, "a/0/segment.log", [9, 1, 2, 3, 4, 5, 9], position: 1, length: 5);
        Assert.Equal([1, 2, 3, 4, 5], await ReadAsync(store, "a/0/segment.log", 0, 5));
        Assert.Equal([3, 4], await ReadAsync(store, "a/0/segment.log", 2, 2));
        Assert.Equal([4, 5], await ReadAsync(store, "a/0/segment.log", 3, 10));
        Assert.Empty(await ReadAsync(store, "a/0/segment.log", 5, 10));
    }

    [Fact]
    public async Task An_object_of_many_blocks_is_whole()
    {
        var store = await OpenAsync();
        var bytes = new byte[20 << 20];
        new Random(1).NextBytes(bytes);
        await WriteAsync(store, "a/0/large.log", bytes, 0, bytes.Length);
        Assert.Equal(bytes, await ReadAsync(store, "a/0/large.log", 0, bytes.Length));
    }

    [Fact]
    public async Task What_is_not_there_is_missing_and_nothing_else()
    {
        var store = await OpenAsync();
        await Assert.ThrowsAsync<RemoteObjectMissingException>(() => store.ReadAsync("a/0/nothing.log", 0, new byte[1], default));
        Assert.Null(await store.ReadDocumentAsync("a/0/manifest.json", default));
        await store.DeleteAsync("a/0/nothing.log", default);
    }

    [Fact]
    public async Task A_document_is_replaced_only_by_who_has_seen_its_present_version()
    {
        var store = await OpenAsync();
        var first = await store.WriteDocumentAsync("a/0/manifest.json", new byte[] { 1 }, expectedTag: null, default);
        Assert.NotNull(first);
        Assert.Null(await store.WriteDocumentAsync("a/0/manifest.json", new byte[] { 2 }, expectedTag: null, default));
        var second = await store.WriteDocumentAsync("a/0/manifest.json", new byte[] { 2 }, first, default);
        Assert.NotNull(second);
        Assert.Null(await store.WriteDocumentAsync("a/0/manifest.json", new byte[] { 3 }, first, default));
        var read = (await store.ReadDocumentAsync("a/0/manifest.json", default))!.Value;
        Assert.Equal([2], read.Content.ToArray());
        Assert.Equal(second, read.Tag);
    }

    [Fact]
    public async Task Of_many_who_replace_a_document_at_once_one_does()
    {
        var store = await OpenAsync();
        var written = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => store.WriteDocumentAsync("a/0/manifest.json", new[] { (byte)i }, expectedTag: null, default)));
        Assert.Single(written, tag => tag is not null);
    }

    [Fact]
    public async Task Objects_are_listed_by_how_their_names_begin_until_they_are_deleted()
    {
        var store = await OpenAsync();
        foreach (var name in (string[])["a/0/one.log", "a/0/two.log", "a/1/one.log", "b/0/one.log"]) await WriteAsync(store, name, [1, 2], 0, 2);
        await store.DeleteAsync("a/0/two.log", default);
        Assert.Equal(["a/0/one.log", "a/1/one.log"], await NamesAsync(store, "a/"));
        Assert.Equal(["a/0/one.log"], await NamesAsync(store, "a/0/"));
        Assert.Empty(await NamesAsync(store, "c/"));
    }

    protected virtual void Dispose(bool disposing)
    {
        Files.Dispose();
        _directory.Delete(recursive: true);
    }

    private async Task WriteAsync(IRemoteStore store, string name, byte[] bytes, long position, long length)
    {
        using var file = Files.Open(Path.Combine(_directory.FullName, "source"), create: true);
        file.Write(0, bytes);
        await using var content = new SegmentStream(file, position, length);
        await store.WriteAsync(name, content, default);
    }

    private static async Task<byte[]> ReadAsync(IRemoteStore store, string name, long position, int length)
    {
        var bytes = new byte[length];
        return bytes[..await store.ReadAsync(name, position, bytes, default)];
    }

    private static async Task<List<string>> NamesAsync(IRemoteStore store, string prefix)
    {
        List<string> names = [];
        await foreach (var found in store.ListAsync(prefix, default)) names.Add(found.Name);
        return [.. names.Order(StringComparer.Ordinal)];
    }
}
