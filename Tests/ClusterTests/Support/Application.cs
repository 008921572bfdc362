using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Hosting;
using OrleansLog.Client;

namespace OrleansLog.ClusterTests.Support;

/// <summary>An application outside of the silos: a host with an Orleans client, and the log's client on it.</summary>
internal sealed class Application : IAsyncDisposable
{
    private readonly IHost _host;

    private Application(IHost host) => _host = host;

    public IServiceProvider Services => _host.Services;

    public OrleansLogClient Log => _host.Services.GetRequiredService<OrleansLogClient>();

    /// <param name="cluster">The silo cluster's name.</param>
    /// <param name="clustering">Says how the gateways are found.</param>
    /// <param name="configure">Changes the log client's defaults.</param>
    public static async Task<Application> StartAsync(string cluster, Action<IClientBuilder> clustering, Func<ClientOptions, ClientOptions>? configure = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.UseOrleansClient(orleans =>
        {
            orleans.Configure<ClusterOptions>(named => (named.ClusterId, named.ServiceId) = (cluster, cluster));
            clustering(orleans);
            orleans.AddOrleansLogClient(configure);
        });
        var host = builder.Build();
        await host.StartAsync();
        return new Application(host);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        await ((IAsyncDisposable)_host).DisposeAsync();
    }
}
