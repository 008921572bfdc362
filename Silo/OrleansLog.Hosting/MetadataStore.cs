using Azure.Storage.Blobs;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;
using OrleansLog.Blobs;
using OrleansLog.Broker.Metadata;
using OrleansLog.Grains.Metadata;
using OrleansLog.Replication.Metadata;
using OrleansLog.Storage;

namespace OrleansLog.Hosting;

/// <summary>Where the brokers of a cluster keep what they agree on: topics, partitions and their leaders, and the brokers.</summary>
public sealed class MetadataStore
{
    private readonly Func<MetadataPlace, CancellationToken, Task<IMetadataRegister>> _open;

    private MetadataStore(Func<MetadataPlace, CancellationToken, Task<IMetadataRegister>> open) => _open = open;

    /// <summary>In the data directory of the one broker that the cluster has.</summary>
    public static MetadataStore Files { get; } = new(static (place, _) =>
        Task.FromResult<IMetadataRegister>(FileMetadataRegister.Open(place.Files, Path.Combine(place.DataDirectory, "metadata"))));

    /// <summary>
    /// In a grain storage provider of the silo (<c>AddAzureBlobGrainStorage</c>, Redis, ADO.NET, and so on). All silos name the
    /// same, and it must be one that outlives them.
    /// </summary>
    /// <param name="name">The name that the provider was added under.</param>
    public static MetadataStore GrainStorage(string name) => new((place, _) =>
        Task.FromResult<IMetadataRegister>(new GrainStorageRegister(
            place.Services.GetKeyedService<IGrainStorage>(name)
            ?? throw new InvalidOperationException($"The silo has no grain storage '{name}' to keep the log's metadata in. Add it, or name another."))));

    /// <summary>In a blob container, as one small blob a document.</summary>
    /// <param name="connect">Makes a client of the container with the options it is given, on which it may set more, but no retries.</param>
    public static MetadataStore Blobs(Func<BlobClientOptions, BlobContainerClient> connect) => new(async (_, cancellation) =>
        await BlobMetadataRegister.OpenAsync(connect, cancellationToken: cancellation));

    /// <summary>Whether it is of use to one broker alone.</summary>
    internal bool IsOfOneBroker => ReferenceEquals(this, Files);

    internal Task<IMetadataRegister> OpenAsync(MetadataPlace place, CancellationToken cancellation) => _open(place, cancellation);
}

/// <summary>What a store may need to open.</summary>
internal sealed record MetadataPlace(IServiceProvider Services, ILogFileSystem Files, string DataDirectory);
