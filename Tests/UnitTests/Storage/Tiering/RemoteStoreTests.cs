using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using OrleansLog.Blobs;
using OrleansLog.Broker.Tiering;
using OrleansLog.Storage.Tiering;
using OrleansLog.UnitTests.Metadata;

namespace OrleansLog.UnitTests.Storage.Tiering;

/// <summary>A directory as a store.</summary>
public sealed class DirectoryRemoteStoreTests : RemoteStoreContract
{
    private DirectoryRemoteStore? _store;

    protected override Task<IRemoteStore> OpenAsync() => Task.FromResult<IRemoteStore>(_store = new DirectoryRemoteStore(Files, StoreDirectory));

    protected override void Dispose(bool disposing)
    {
        _store?.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>Azure Blob Storage as a store, against Azurite: each test in a container of its own.</summary>
public sealed class BlobRemoteStoreTests(Azurite azurite) : RemoteStoreContract, IClassFixture<Azurite>
{
    private readonly LossyHandler _way = new();
    private readonly string _container = $"t{Guid.NewGuid():n}";

    [Fact]
    public async Task A_document_whose_answer_is_lost_is_not_written_again()
    {
        var store = await OpenAsync();
        _way.Unanswered[HttpMethod.Put] = 1;
        await Assert.ThrowsAsync<BlobStorageException>(() => store.WriteDocumentAsync("a/0/manifest.json", new byte[] { 1 }, expectedTag: null, default));
        Assert.Equal([1], (await store.ReadDocumentAsync("a/0/manifest.json", default))!.Value.Content.ToArray());
    }

    protected override async Task<IRemoteStore> OpenAsync() => await BlobRemoteStore.OpenAsync(
        client =>
        {
            client.Transport = new HttpClientTransport(_way);
            return new BlobContainerClient(azurite.ConnectionString, _container, client);
        },
        new BlobStoreOptions { RetriesMax = 0 });

    protected override void Dispose(bool disposing)
    {
        _way.Dispose();
        base.Dispose(disposing);
    }
}
