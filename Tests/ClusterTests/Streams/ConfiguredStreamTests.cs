using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Hosting;
using OrleansLog.ClusterTests.Client;

namespace OrleansLog.ClusterTests.Streams;

/// <summary>An application's silo, in a cluster of its own, that finds its streams in its configuration.</summary>
public sealed class ConfiguredStreamTests : IAsyncLifetime
{
    private LogSilo _log = null!;

    public async ValueTask InitializeAsync() => _log = await LogSilo.StartNewAsync();

    public ValueTask DisposeAsync() => _log.DisposeAsync();

    [Fact]
    public async Task A_provider_is_added_by_configuration_alone()
    {
        var stream = Guid.NewGuid().ToString("n");
        using var host = Build();
        await host.StartAsync();
        var grains = host.Services.GetRequiredService<IGrainFactory>();
        await grains.GetGrain<IReaderGrain>(stream).SubscribeAsync("configured");
        await grains.GetGrain<IReaderGrain>("publisher").PublishAsync("configured", stream, ["one", "two"]);

        Assert.Equal(["one", "two"], (await Received.TakeAsync(stream, 2)).Select(seen => seen.Event));
        await using var client = new OrleansLog.Client.OrleansLogClient(_log.Kafka);
        Assert.Equal(3, (await client.Admin.DescribeTopicAsync("letters-of-all")).Partitions.Count);
        await host.StopAsync();
    }

    private IHost Build()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Orleans:GrainStorage:PubSubStore:ProviderType"] = "Memory",
            ["Orleans:Streaming:configured:ProviderType"] = "OrleansLog",
            ["Orleans:Streaming:configured:Topic"] = "letters-of-all",
            ["Orleans:Streaming:configured:Partitions"] = "3",
            ["Orleans:Streaming:configured:BootstrapServers"] = _log.Kafka,
        });
        var ports = Support.FreePorts.Find(2);
        builder.UseOrleans(silo => silo.UseLocalhostClustering(ports[0], ports[1], new IPEndPoint(IPAddress.Loopback, ports[0])));
        return builder.Build();
    }
}
