using System.Net;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Hosting;
using OrleansLog.ClusterTests.Support;
using OrleansLog.Hosting;
using OrleansLog.Membership;

namespace OrleansLog.ClusterTests.Hosting;

/// <summary>A silo as an application puts it together, with clustering and storage of its own choice, and a broker on it.</summary>
internal sealed class ApplicationSilo(int number, string cluster, string blobs) : IAsyncDisposable
{
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("orleanslog-application-");
    private IHost? _host;

    public string DataDirectory => _data.FullName;

    public IServiceProvider Services => _host!.Services;

    public LogBrokerOptions InGrainStorage => new()
    {
        DataDirectory = DataDirectory,
        BrokerId = number,
        Metadata = MetadataStore.GrainStorage("metadata"),
        KafkaPort = 0,
        Config = new Dictionary<string, string> { ["offsets.topic.num.partitions"] = "3" },
    };

    public LogBrokerOptions InFiles => InGrainStorage with { Metadata = MetadataStore.Files };

    public async Task StartAsync(LogBrokerOptions options)
    {
        var ports = FreePorts.Find(2);
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.UseOrleans(silo =>
        {
            silo.Configure<ClusterOptions>(names => (names.ClusterId, names.ServiceId) = (cluster, cluster));
            silo.ConfigureEndpoints(IPAddress.Loopback, ports[0], ports[1]);
            silo.UseBlobMembership(client => new BlobContainerClient(blobs, cluster, client));
            silo.AddAzureBlobGrainStorage("metadata", storage =>
            {
                storage.BlobServiceClient = new BlobServiceClient(blobs);
                storage.ContainerName = cluster;
            });
            silo.AddOrleansLog(options);
            silo.AddOrleansLogClient();
        });
        _host = builder.Build();
        await _host.StartAsync();
    }

    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _host, null) is not { } host) return;
        await host.StopAsync();
        await ((IAsyncDisposable)host).DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _data.Delete(recursive: true);
    }
}
