using System.Diagnostics;
using System.Globalization;
using System.Net;
using OrleansLog.Benchmarks.Clients;
using OrleansLog.Benchmarks.Clients.Kafka;
using OrleansLog.Benchmarks.Clients.Nats;
using OrleansLog.Benchmarks.Clients.RabbitMq;
using OrleansLog.Benchmarks.Clients.Redis;

namespace OrleansLog.Benchmarks.Peers;

/// <summary>A peer that its script in peers/ starts and stops (the verbs and exit codes are described in peers/common.sh).</summary>
internal sealed class ScriptedPeer(string name, Func<IPEndPoint, IBrokerClient> openClient, bool speaksKafka = false) : IContestant
{
    private const int Unavailable = 3;

    public static readonly IReadOnlyList<ScriptedPeer> All =
    [
        new("kafka", at => new KafkaClient(at, FlushConfig.ApacheKafka), speaksKafka: true),
        new("nats", at => new NatsClient(at)),
        new("rabbitmq", at => new RabbitMqClient(at)),
        new("redis", at => new RedisClient(at)),
    ];

    public string Name => name;

    public bool SpeaksKafka => speaksKafka;

    public RunningBroker Start(string dataDirectory, int port, Durability durability)
    {
        var facts = Run("start", "--data", dataDirectory, "--port", port.ToString(CultureInfo.InvariantCulture), "--durability", durability.Name())
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('=', 2)).ToDictionary(x => x[0], x => x[1]);
        var endPoint = new IPEndPoint(IPAddress.Loopback, port);
        return new RunningBroker(() => Run("stop", "--data", dataDirectory))
        {
            Name = name,
            Version = facts["version"],
            EndPoint = endPoint,
            Client = openClient(endPoint),
            ProcessIds = [int.Parse(facts["pid"], CultureInfo.InvariantCulture)],
            SpeaksKafka = speaksKafka,
        };
    }

    // The broker that a script leaves behind must not hold the script's pipes, or their end would never come.
    private string Run(params string[] arguments)
    {
        var script = Path.Combine(AppContext.BaseDirectory, "peers", name + ".sh");
        var start = new ProcessStartInfo("bash", [script, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start) ?? throw new InvalidOperationException("bash did not start");
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode switch
        {
            0 => output,
            Unavailable => throw new UnavailableException(errors.Result.Trim()),
            _ => throw new UnavailableException($"{name}.sh {arguments[0]} failed: {errors.Result.Trim()}"),
        };
    }
}
