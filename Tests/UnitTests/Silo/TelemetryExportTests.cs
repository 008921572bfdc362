using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using OrleansLog.Client;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Silo;

/// <summary>The executable sends what it measures to whatever OpenTelemetry's own variables name.</summary>
public sealed class TelemetryExportTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("orleanslog-otlp-");
    private readonly HttpListener _collector = new();
    private readonly int _port = FreePort();

    public TelemetryExportTests()
    {
        _collector.Prefixes.Add($"http://127.0.0.1:{_port}/");
        _collector.Start();
    }

    public void Dispose()
    {
        _collector.Close();
        _data.Delete(recursive: true);
    }

    [Fact]
    public async Task Metrics_go_to_the_collector_that_the_environment_names()
    {
        Assert.SkipUnless(File.Exists(Path.Combine(AppContext.BaseDirectory, "OpenTelemetry.dll")), "The package feed lacks OpenTelemetry.");
        using var silo = Start();
        try
        {
            using var patience = new CancellationTokenSource(Patience);
            while (!Encoding.UTF8.GetString(await NextAsync("/v1/metrics", patience.Token)).Contains("orleanslog.partitions", StringComparison.Ordinal))
            {
                // The first ones may come before there is a broker.
            }
        }
        finally
        {
            silo.Kill();
            await silo.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task So_do_the_traces_that_a_producer_begins()
    {
        Assert.SkipUnless(File.Exists(Path.Combine(AppContext.BaseDirectory, "OpenTelemetry.dll")), "The package feed lacks OpenTelemetry.");
        using var silo = Start();
        try
        {
            using var patience = new CancellationTokenSource(Patience);
            await using var client = new OrleansLogClient(new ClientOptions { BootstrapServers = await AddressAsync(silo, patience.Token) });
            using var spans = new RecordedSpans("OrleansLog.Client");
            using (spans.Begin())
            await using (var producer = client.CreateProducer())
                await producer.ProduceAsync("traced-orders", "one"u8.ToArray());
            Assert.Contains("traced-orders", Encoding.UTF8.GetString(await NextAsync("/v1/traces", patience.Token)), StringComparison.Ordinal);
        }
        finally
        {
            silo.Kill();
            await silo.WaitForExitAsync();
        }
    }

    // From the line that says that it serves.
    private static async Task<string> AddressAsync(Process silo, CancellationToken cancellationToken)
    {
        const string Before = "serves Kafka on ";
        while (await silo.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.IndexOf(Before, StringComparison.Ordinal) is >= 0 and var at)
                return line[(at + Before.Length)..].Split(' ')[0];
        }
        throw new InvalidOperationException("The broker ended.");
    }

    private Process Start()
    {
        var start = new ProcessStartInfo("dotnet",
        [
            Path.Combine(AppContext.BaseDirectory, "OrleansLog.Silo.dll"), "--engine", "embedded", "--data", _data.FullName,
            "--kafka-port", "0", "--http-port", "0",
        ])
        { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = $"http://127.0.0.1:{_port}";
        start.Environment["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
        start.Environment["OTEL_METRIC_EXPORT_INTERVAL"] = "200";
        start.Environment["OTEL_BSP_SCHEDULE_DELAY"] = "200";
        return Process.Start(start)!;
    }

    private async Task<byte[]> NextAsync(string path, CancellationToken cancellationToken)
    {
        while (true)
        {
            var request = await _collector.GetContextAsync().WaitAsync(cancellationToken);
            using var body = new MemoryStream();
            await request.Request.InputStream.CopyToAsync(body, cancellationToken);
            request.Response.Close();
            if (request.Request.Url!.AbsolutePath == path) return body.ToArray();
        }
    }

    private static int FreePort()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
