using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using OrleansLog.Silo;
using OrleansLog.Silo.Options;

namespace OrleansLog.UnitTests.Silo;

public sealed class SiloProcessTests : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly HttpClient _client = new();
    private readonly LineWriter _output = new();
    private readonly FakeEngine _engine = new();

    public void Dispose()
    {
        _client.Dispose();
        _stop.Dispose();
    }

    private static SiloOptions AnyPort => new() { HttpPort = 0, DataDirectory = "d" };

    private Task<int> Run() => SiloProcess.RunAsync(AnyPort, (_, _, _) => Task.FromResult<IEngine>(_engine), _output, _stop.Token);

    private Task<(HttpStatusCode Status, string Text)> Get(string page) => Ask(HttpMethod.Get, page);

    private Task<(HttpStatusCode Status, string Text)> Post(string page, string? origin = null) => Ask(HttpMethod.Post, page, origin);

    private async Task<(HttpStatusCode Status, string Text)> Ask(HttpMethod method, string page, string? origin = null)
    {
        var line = await _output.Line;
        var port = line.Split("HTTP on 127.0.0.1:")[1].Split(',')[0];
        using var request = new HttpRequestMessage(method, new Uri($"http://127.0.0.1:{port}{page}"));
        if (origin is not null)
            request.Headers.Add("Origin", origin);
        using var response = await _client.SendAsync(request);
        return (response.StatusCode, (await response.Content.ReadAsStringAsync()).Trim());
    }

    [Fact]
    public async Task One_line_says_what_is_served_and_where()
    {
        var running = Run();

        Assert.Matches(@"^OrleansLog \d+\.\d+\.\d+ serves Kafka on fake:1 and HTTP on 127\.0\.0\.1:\d+, data in d$", await _output.Line);

        await _stop.CancelAsync();
        Assert.Equal(0, await running);
        Assert.True(_engine.IsDisposed);
        Assert.Equal(1, _output.Count);
    }

    [Fact]
    public async Task Whether_it_lives_is_asked_of_nobody()
    {
        var asked = 0;
        _engine.OnAsked = () => asked++;
        var running = Run();
        await Get("/health/live");
        Assert.Equal(0, asked);
        await Get("/health/ready");
        Assert.Equal(1, asked);

        await _stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Health_follows_the_engine()
    {
        var running = Run();

        Assert.Equal((HttpStatusCode.OK, "live"), await Get("/health/live"));
        Assert.Equal((HttpStatusCode.OK, "ready"), await Get("/health/ready"));
        _engine.NotReady = "the disk failed";
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "not ready: the disk failed"), await Get("/health/ready"));
        Assert.Equal((HttpStatusCode.OK, "live"), await Get("/health/live"));

        await _stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Metrics_are_served_and_other_pages_are_not()
    {
        var running = Run();

        Assert.Contains("dotnet_gc_heap_total_allocated_bytes_total", (await Get("/metrics")).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await Get("/")).Status);

        await _stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task One_broker_is_killed_over_http_but_not_by_a_web_page()
    {
        var running = Run();

        Assert.Equal((HttpStatusCode.OK, "kill 1"), await Post("/brokers/1/kill"));
        Assert.Equal((HttpStatusCode.Conflict, "kill 2"), await Post("/brokers/2/kill"));
        Assert.Equal(HttpStatusCode.BadRequest, (await Post("/brokers/1")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await Get("/brokers/1/kill")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await Post("/brokers/1/kill", origin: "http://example.org")).Status);

        await _stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task A_port_in_use_is_said_to_be_so()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;

        var failure = await Assert.ThrowsAsync<StartException>(() => SiloProcess.RunAsync(
            AnyPort with { HttpPort = port }, (_, _, _) => Task.FromResult<IEngine>(_engine), _output, _stop.Token));

        Assert.Equal(ExitCode.AddressInUse, failure.ExitCode);
        Assert.Contains($"127.0.0.1:{port}", failure.Message, StringComparison.Ordinal);
        Assert.Contains("--http-port", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stop_while_it_starts_ends_in_order()
    {
        var started = new TaskCompletionSource();
        var running = SiloProcess.RunAsync(
            AnyPort,
            async (_, _, cancellation) =>
            {
                started.SetResult();
                await Task.Delay(Timeout.Infinite, cancellation);
                return _engine;
            },
            _output,
            _stop.Token);
        await started.Task;

        await _stop.CancelAsync();

        Assert.Equal(0, await running);
    }

    [Fact]
    public void Several_brokers_in_one_process_are_the_embedded_engines() => Assert.Equal(Engine.Embedded, Engines.DefaultFor(AnyPort with { Brokers = 3 }));

    [Fact]
    public void One_broker_is_a_silo_where_that_was_built() =>
        Assert.Equal(Engines.HasOrleans ? Engine.Orleans : Engine.Embedded, Engines.DefaultFor(AnyPort));

    [Fact]
    public void The_engine_that_is_not_built_is_refused_with_the_reason()
    {
        Assert.SkipWhen(Engines.HasOrleans, "The Orleans engine is part of this build.");
        var failure = Assert.Throws<StartException>(() =>
        {
            _ = Engines.StartAsync(AnyPort with { Engine = Engine.Orleans }, LoggerFactory.Create(_ => { }), _stop.Token);
        });

        Assert.Equal(ExitCode.Usage, failure.ExitCode);
        Assert.Contains("only the embedded engine", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("::1", "::1")]
    [InlineData("localhost", "127.0.0.1")]
    public void A_host_is_a_name_or_an_address(string host, string expected) =>
        Assert.Equal(expected, SiloProcess.Address(host).ToString());

    private sealed class FakeEngine : IEngine
    {
        public Action OnAsked { get; set; } = () => { };

        public string? NotReady
        {
            get
            {
                OnAsked();
                return field;
            }
            set;
        }

        public string Addresses => "fake:1";

        public OrleansLog.Broker.Broker? Broker => null;

        public Task<(bool IsChanged, string Text)> ChangeBrokerAsync(int id, string action) =>
            Task.FromResult((id == 1, $"{action} {id}"));

        public bool IsDisposed { get; private set; }

        public ValueTask DisposeAsync()
        {
            IsDisposed = true;
            return ValueTask.CompletedTask;
        }
    }

    private sealed class LineWriter : StringWriter
    {
        private readonly TaskCompletionSource<string> _line = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<string> Line => _line.Task;

        public int Count { get; private set; }

        public override Task WriteLineAsync(string? value)
        {
            Count++;
            _line.TrySetResult(value ?? "");
            return Task.CompletedTask;
        }
    }
}
