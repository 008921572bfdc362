using System.Globalization;
using System.Net;
using System.Net.Sockets;
using OrleansLog.Blobs;
using OrleansLog.Broker;
using OrleansLog.Broker.Files;
using OrleansLog.Kafka;
using OrleansLog.Replication.Brokers;
using OrleansLog.Silo.Options;
using OrleansLog.Storage;

namespace OrleansLog.Silo;

/// <summary>Where the brokers of this process listen, whichever engine carries them.</summary>
internal static class KafkaEndpoints
{
    /// <summary>What the brokers on these sockets are started with.</summary>
    public static BrokerOptions Describe(SiloOptions options, List<Socket> listeners)
    {
        var advertised = options.AdvertisedHost ?? (IsEveryAddress(options.Host) ? Dns.GetHostName() : options.Host);
        var addresses = listeners.Select(l => new BrokerAddress(advertised, ((IPEndPoint)l.LocalEndPoint!).Port)).ToList();
        if (options.Racks.Count > 0)
            addresses = [.. addresses.Select((address, number) => address with { Rack = options.Racks[number % options.Racks.Count] })];
        return BrokerOptions.At(options.DataDirectory, options.Host, addresses, options.Config);
    }

    private static bool IsEveryAddress(string host) =>
        IPAddress.TryParse(host, out var address) && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any));

    /// <summary>Claims the ports of every broker of this process.</summary>
    /// <exception cref="StartException">One is in use.</exception>
    public static List<Socket> Bind(SiloOptions options)
    {
        if (options.KafkaPort + options.Brokers - 1 > IPEndPoint.MaxPort)
            throw new StartException(ExitCode.Usage, $"--kafka-port {options.KafkaPort} leaves no ports for {options.Brokers} brokers");
        var address = SiloProcess.Address(options.Host);
        var listeners = new List<Socket>();
        for (var number = 0; number < options.Brokers; number++)
        {
            var endPoint = new IPEndPoint(address, options.KafkaPort == 0 ? 0 : options.KafkaPort + number);
            try
            {
                listeners.Add(KafkaServer.Bind(endPoint));
            }
            catch (SocketException problem)
            {
                listeners.ForEach(l => l.Dispose());
                throw CannotListen(endPoint.ToString(), problem);
            }
        }
        return listeners;
    }

    private static StartException CannotListen(string address, SocketException problem) => new(
        ExitCode.AddressInUse, $"Kafka cannot listen on {address}: {problem.Message} (--kafka-port chooses another port)", problem);

    /// <summary>What went wrong at the start, for the person who can mend it.</summary>
    public static StartException Explain(Exception problem, SiloOptions options) => problem switch
    {
        SocketException socket => CannotListen(string.Create(CultureInfo.InvariantCulture, $"{options.Host}:{options.KafkaPort}"), socket),
        DirectoryInUseException => new(ExitCode.DataDirectoryInUse, problem.Message, problem),
        BlobStorageException => new(ExitCode.StoreNotUsable, $"the blob storage cannot be used: {problem.Message}", problem),
        InvalidDataException => new(ExitCode.DataNotReadable, $"the data directory {options.DataDirectory} cannot be used: {problem.Message}", problem),
        _ => new(ExitCode.DataDirectoryNotUsable, $"the data directory {options.DataDirectory} cannot be used: {problem.Message}", problem),
    };
}
