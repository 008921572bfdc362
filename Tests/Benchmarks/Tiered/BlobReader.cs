using Azure.Storage.Blobs;

namespace OrleansLog.Benchmarks.Tiered;

/// <summary>A blob container of its own as the store: its blobs by the storage's own SDK, each as one stream.</summary>
internal sealed class BlobReader : IStoreReader
{
    private const int BlockBytes = 1 << 20;
    private readonly BlobContainerClient _container;

    public BlobReader(string connection)
    {
        _container = new BlobContainerClient(connection, $"olog-bench-{Environment.ProcessId}");
        _container.CreateIfNotExists();
        // Not as an argument, which everybody on the machine can see.
        Environment.SetEnvironmentVariable("OLOG_BLOB_CONNECTION", connection);
    }

    public string Name => "the store's blobs, by its SDK";

    public string[] SiloArguments => ["--blob-container", _container.Name];

    public long ReadAll()
    {
        var block = new byte[BlockBytes];
        var total = 0L;
        foreach (var blob in _container.GetBlobs(prefix: "tiered/").Where(blob => blob.Name.EndsWith(".log", StringComparison.Ordinal)))
        {
            using var content = _container.GetBlobClient(blob.Name).DownloadStreaming().Value.Content;
            for (int read; (read = content.Read(block)) > 0;)
            {
                total += read;
            }
        }

        return total;
    }

    public void Forget()
    {
        // The store is another process, or another machine.
    }

    public void Dispose() => _container.DeleteIfExists();
}
