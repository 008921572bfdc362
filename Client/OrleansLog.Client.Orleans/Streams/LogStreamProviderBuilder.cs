using Microsoft.Extensions.Configuration;
using Orleans.Hosting;
using Orleans.Providers;
using OrleansLog.Client.Orleans.Streams;

[assembly: RegisterProvider("OrleansLog", "Streaming", "Silo", typeof(LogStreamProviderBuilder))]
[assembly: RegisterProvider("OrleansLog", "Streaming", "Client", typeof(LogStreamProviderBuilder))]

namespace OrleansLog.Client.Orleans.Streams;

/// <summary>Adds the stream providers that a host's configuration names: <c>Orleans:Streaming:NAME:ProviderType</c> is <c>OrleansLog</c>.</summary>
internal sealed class LogStreamProviderBuilder : IProviderBuilder<ISiloBuilder>, IProviderBuilder<IClientBuilder>
{
    public void Configure(ISiloBuilder builder, string? name, IConfigurationSection configurationSection) =>
        builder.AddOrleansLogStreams(name!, configurationSection.Bind);

    public void Configure(IClientBuilder builder, string? name, IConfigurationSection configurationSection) =>
        builder.AddOrleansLogStreams(name!, configurationSection.Bind);
}
