using Azure.Storage.Blobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Hosting;
using Orleans.Storage;
using OrleansLog.ClusterTests.Support;
using OrleansLog.Grains.Metadata;
using OrleansLog.Replication.Metadata;
using OrleansLog.UnitTests.Metadata;

namespace OrleansLog.ClusterTests.Metadata;

/// <summary>The register in grain storage keeps to what every register keeps to, whichever provider it has.</summary>
public abstract class GrainStorageRegisterTests : RegisterContract, IAsyncLifetime
{
    private readonly List<GrainStorageRegister> _registers = [];
    private IHost? _host;

    public async ValueTask InitializeAsync()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        var ports = FreePorts.Find(2);
        builder.UseOrleans(silo => Add(silo.UseLocalhostClustering(ports[0], ports[1])));
        _host = builder.Build();
        await _host.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _registers.ForEach(register => register.Dispose());
        GC.SuppressFinalize(this);
        await _host!.StopAsync();
        _host.Dispose();
    }

    protected abstract ISiloBuilder Add(ISiloBuilder silo);

    protected override Task<IMetadataRegister> OpenAsync()
    {
        var register = new GrainStorageRegister(_host!.Services.GetRequiredKeyedService<IGrainStorage>("register"));
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
