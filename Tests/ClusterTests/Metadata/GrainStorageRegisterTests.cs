using Azure.Storage.Blobs;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Hosting;
using Orleans.Storage;
using Orleans.TestingHost;
using OrleansLog.Grains.Metadata;
using OrleansLog.Replication.Metadata;
using OrleansLog.UnitTests.Metadata;

namespace OrleansLog.ClusterTests.Metadata;

/// <summary>The register in grain storage keeps to what every register keeps to, whichever provider it has.</summary>
public abstract class GrainStorageRegisterTests : RegisterContract, IAsyncLifetime
{
    private readonly List<GrainStorageRegister> _registers = [];
    private InProcessTestCluster? _cluster;

    public async ValueTask InitializeAsync()
    {
        var builder = new InProcessTestClusterBuilder(initialSilosCount: 1);
        builder.ConfigureSilo((_, silo) => Add(silo));
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _registers.ForEach(register => register.Dispose());
        GC.SuppressFinalize(this);
        await _cluster!.DisposeAsync();
    }

    protected abstract ISiloBuilder Add(ISiloBuilder silo);

    protected override Task<IMetadataRegister> OpenAsync()
    {
        var register = new GrainStorageRegister(_cluster!.Silos[0].ServiceProvider.GetRequiredKeyedService<IGrainStorage>("register"));
        _registers.Add(register);
        return Task.FromResult<IMetadataRegister>(register);
    }
}

/// <summary>Over the storage that Orleans has for development.</summary>
public sealed class MemoryStorageRegisterTests : GrainStorageRegisterTests
{
    protected override ISiloBuilder Add(ISiloBuilder silo) => silo.AddMemoryGrainStorage("register");
}

/// <summary>Over <c>AddAzureBlobGrainStorage</c>.</summary>
public sealed class AzureStorageRegisterTests(Azurite azurite) : GrainStorageRegisterTests, IClassFixture<Azurite>
{
    private readonly string _container = $"register-{Guid.NewGuid():N}";

    protected override ISiloBuilder Add(ISiloBuilder silo) => silo.AddAzureBlobGrainStorage("register", options =>
    {
        options.BlobServiceClient = new BlobServiceClient(azurite.ConnectionString, new BlobClientOptions { Retry = { MaxRetries = 0 } });
        options.ContainerName = _container;
    });
}
