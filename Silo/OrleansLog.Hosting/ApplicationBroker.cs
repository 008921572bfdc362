using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansLog.Broker;
using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Files;
using OrleansLog.Broker.Tiering;
using OrleansLog.Kafka;
using OrleansLog.Protocol;
using OrleansLog.Replication.Brokers;

namespace OrleansLog.Hosting;

/// <summary>Puts together the broker that an application's options describe.</summary>
internal sealed class ApplicationBroker(LogBrokerOptions options, BrokerId id)
{
    private readonly ConfigValues _config = ConfigOf(options);

    /// <summary>Opens the port, the disk and the register.</summary>
    /// <exception cref="SocketException">The port is in use.</exception>
    /// <exception cref="IOException">The register cannot be reached.</exception>
    public async Task<BrokerParts> OpenAsync(IServiceProvider services, CancellationToken cancellation)
    {
        var listener = KafkaServer.Bind(new IPEndPoint(AddressOf(options.Host), options.KafkaPort));
        var files = new PhysicalFileSystem();
        try
        {
            var register = await options.Metadata.OpenAsync(new(services, files, options.DataDirectory), cancellation);
            BrokerIdentity.Keep(id, options.DataDirectory);
            var address = new BrokerAddress(options.AdvertisedHost ?? options.Host, ((IPEndPoint)listener.LocalEndPoint!).Port, options.Rack);
            var described = BrokerOptions.At(options.DataDirectory, options.Host, [address], _config) with
            {
                Serve = broker => Serve(listener, broker, services),
                RemoteStore = options.RemoteStore ?? OpenDirectory(files),
            };
            return new BrokerParts(described, files, register, options.Metadata.IsOfOneBroker, [.. new[] { register as IDisposable }.OfType<IDisposable>(), listener, files]);
        }
        catch
        {
            listener.Dispose();
            files.Dispose();
            throw;
        }
    }

    private static KafkaServer Serve(Socket listener, Broker.Broker broker, IServiceProvider services) => KafkaServer.Start(
        listener, broker, TimeProvider.System, services.GetRequiredService<ILogger<KafkaServer>>(), services.GetRequiredService<ControllerForwarder>());

    private DirectoryRemoteStore? OpenDirectory(PhysicalFileSystem files) =>
        _config.TryGet(BrokerConfigs.RemoteStorageDirectory, out var directory) && directory.Length > 0 ? new DirectoryRemoteStore(files, directory) : null;

    private static ConfigValues ConfigOf(LogBrokerOptions options)
    {
        var config = ConfigValues.Empty;
        foreach (var (name, value) in options.Config)
        {
            if (BrokerConfigs.All.Check(name, value) is { } problem)
                throw new ArgumentException(problem, nameof(options));
            config = config.With(ConfigSource.StaticBroker, name, value.Trim());
        }
        return config;
    }

    private static IPAddress AddressOf(string host) => IPAddress.TryParse(host, out var address)
        ? address
        : Dns.GetHostAddresses(host).OrderBy(found => found.AddressFamily is AddressFamily.InterNetwork ? 0 : 1).First();
}
