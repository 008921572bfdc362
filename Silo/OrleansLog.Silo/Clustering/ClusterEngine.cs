using System.Net.Sockets;
using OrleansLog.Blobs;
using OrleansLog.Broker.Files;
using OrleansLog.Broker.Metadata;
using OrleansLog.Hosting;
using OrleansLog.Kafka;
using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;
using OrleansLog.Silo.Options;
using OrleansLog.Silo.Telemetry;

namespace OrleansLog.Silo.Clustering;

/// <summary>One broker on a silo of an Orleans cluster, with its Kafka endpoint.</summary>
internal sealed class ClusterEngine : IEngine
{
    private readonly IHost _host;
    private readonly BrokerSilo _silo;

    private ClusterEngine(IHost host, BrokerSilo silo, string addresses) => (_host, _silo, Addresses) = (host, silo, addresses);

    public string Addresses { get; }

    public Broker.Broker? Broker => _silo.Broker?.Broker;

    /// <summary>The silo's services.</summary>
    public IServiceProvider Services => _host.Services;

    public string? NotReady => _silo.NotReady;

    /// <summary>Claims the port, opens the register and the replicas, joins the cluster; serves when all that is done.</summary>
    public static async Task<IEngine> StartAsync(SiloOptions options, ILoggerFactory loggers, CancellationToken cancellation) =>
        await StartAsync(options, static _ => { }, loggers, cancellation);

    /// <inheritdoc cref="StartAsync(SiloOptions, ILoggerFactory, CancellationToken)"/>
    /// <param name="options">The process's options.</param>
    /// <param name="configure">Puts more on the silo than the log.</param>
    /// <param name="loggers">Told of what happens.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<ClusterEngine> StartAsync(SiloOptions options, Action<ISiloBuilder> configure, ILoggerFactory loggers, CancellationToken cancellation)
    {
        if (options.Brokers != 1)
            throw new StartException(ExitCode.Usage, $"--brokers {options.Brokers} needs --engine embedded; the orleans engine has one broker a process");
        var listener = KafkaEndpoints.Bind(options)[0];
        var files = new PhysicalFileSystem();
        IMetadataRegister? register = null;
        IHost? host = null;
        try
        {
            register = await OpenRegisterAsync(options, files, cancellation);
            var id = await FindIdAsync(options, register, cancellation);
            BrokerIdentity.Keep(id, options.DataDirectory);
            host = Build(options, id, configure, listener, files, register, loggers);
            var silo = host.Services.GetRequiredService<BrokerSilo>();
            // A register of the silo's own storage is there when the silo has started that.
            if (register is not null)
                await silo.OpenAsync(cancellation);
            await host.StartAsync(cancellation);
            return new ClusterEngine(host, silo, listener.LocalEndPoint!.ToString()!);
        }
        catch (Exception problem)
        {
            if (host is IAsyncDisposable started)
                await started.DisposeAsync();
            (register as IDisposable)?.Dispose();
            listener.Dispose();
            files.Dispose();
            if (problem is BrokerIdentityException other)
                throw new StartException(ExitCode.Usage, $"--broker-id is {options.BrokerId}, but {options.DataDirectory} belongs to broker {other.Kept}; leave the option out or choose another directory");
            if (problem is IOException or InvalidDataException or UnauthorizedAccessException or SocketException)
                throw KafkaEndpoints.Explain(problem, options);
            if (options.Clustering == Options.Clustering.Orleans && problem is not (StartException or OperationCanceledException))
                throw OrleansSettings.Explain(problem);
            throw;
        }
    }

    public Task<(bool IsChanged, string Text)> ChangeBrokerAsync(int id, string action) => Task.FromResult(
        (false, "Only brokers of the embedded engine can be played with (--engine embedded --brokers 3); this one is a process of its own."));

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        await _silo.DisposeAsync();
        await ((IAsyncDisposable)_host).DisposeAsync();
    }

    // Null where the silo has to bring it.
    private static async Task<IMetadataRegister?> OpenRegisterAsync(SiloOptions options, PhysicalFileSystem files, CancellationToken cancellation) => options.Clustering switch
    {
        Options.Clustering.Local => FileMetadataRegister.Open(files, Path.Combine(options.DataDirectory, "metadata")),
        Options.Clustering.Blobs => await BlobMetadataRegister.OpenAsync(client => BlobContainers.Open(options, client), cancellationToken: cancellation),
        _ => null,
    };

    private static async Task<BrokerId> FindIdAsync(SiloOptions options, IMetadataRegister? register, CancellationToken cancellation)
    {
        if (BrokerIdentity.Find(options.BrokerId, options.DataDirectory) is { } known)
            return known;
        return register is not null
            ? await BrokerIdentity.DrawAsync(register, cancellation)
            : throw new StartException(ExitCode.Usage, $"say which broker {options.DataDirectory} is for: with --clustering orleans a new data directory needs --broker-id, another number for each process");
    }

    private static IHost Build(
        SiloOptions options, BrokerId id, Action<ISiloBuilder> configure, Socket listener, PhysicalFileSystem files, IMetadataRegister? register,
        ILoggerFactory loggers)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        if (options.Clustering == Options.Clustering.Orleans)
            OrleansSettings.Apply(builder.Configuration, options);
        builder.UseOrleans(silo =>
        {
            silo.AddBroker(id, async (services, cancellation) => new BrokerParts(
                KafkaEndpoints.Describe(options, [listener]) with
                {
                    Serve = broker => Serve(listener, broker, services, loggers),
                    RemoteStore = await RemoteStores.OpenAsync(options, files, cancellation),
                },
                files, register ?? OrleansSettings.OpenRegister(services), IsAlone: false, [.. new[] { register as IDisposable }.OfType<IDisposable>(), files]));
            SiloNetwork.Configure(silo, options);
            // It is two filters around each call: for those who look at the traces.
            if (TelemetryExport.IsAskedFor) silo.AddActivityPropagation();
            configure(silo);
        });
        return builder.Build();
    }

    private static KafkaServer Serve(Socket listener, Broker.Broker broker, IServiceProvider services, ILoggerFactory loggers) =>
        KafkaServer.Start(listener, broker, TimeProvider.System, loggers.CreateLogger<KafkaServer>(), services.GetRequiredService<ControllerForwarder>());
}
