using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using OrleansLog.Silo.Metrics;

namespace OrleansLog.Silo.Http;

/// <summary>
/// <c>/health/live</c>, <c>/health/ready</c> and <c>/metrics</c>; and for who is on the same machine <c>POST /brokers/ID/ACTION</c>
/// to play with failures of single brokers, and <c>/remote</c> to look after the remote store (<see cref="RemotePages"/>). Starts before the brokers do, so that whoever watches a
/// long recovery sees a process that lives and is not ready.
/// </summary>
public sealed class HttpEndpoint : IAsyncDisposable
{
    private const string Brokers = "/brokers/";

    private readonly WebApplication _app;

    private HttpEndpoint(WebApplication app) => _app = app;

    /// <summary>Changes the life of one broker; null until there are brokers.</summary>
    public Func<int, string, Task<(bool IsChanged, string Text)>>? ChangeBroker { get; set; }

    /// <summary>One of the process's brokers; null until there are any.</summary>
    public Func<Broker.Broker?>? FindBroker { get; set; }

    /// <summary>The port it listens on; the one that was chosen where 0 was asked for.</summary>
    public int Port => new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port;

    /// <exception cref="StartException">The address is in use or not this machine's.</exception>
    public static async Task<HttpEndpoint> StartAsync(
        IPEndPoint address, Health health, MetricCollector metrics, ILoggerFactory loggers, CancellationToken cancellation)
    {
        var app = Build(address, loggers);
        var endpoint = new HttpEndpoint(app);
        app.Run(context => endpoint.Answer(context, health, metrics));
        try
        {
            await app.StartAsync(cancellation);
            return endpoint;
        }
        catch (IOException problem)
        {
            await app.DisposeAsync();
            throw new StartException(
                ExitCode.AddressInUse, $"HTTP cannot listen on {address}: {problem.InnerException?.Message ?? problem.Message} (--http-port chooses another port)", problem);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private static WebApplication Build(IPEndPoint address, ILoggerFactory loggers)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(address);
        });
        builder.Services.AddSingleton(loggers);
        // The process has its own handling of signals, which stops the brokers first.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        return builder.Build();
    }

    private Task Answer(HttpContext context, Health health, MetricCollector metrics) => context.Request.Path.Value switch
    {
        { } path when path.StartsWith(Brokers, StringComparison.Ordinal) => AnswerBroker(context, path[Brokers.Length..].Split('/')),
        { } path when path.StartsWith(RemotePages.Path, StringComparison.Ordinal) => AnswerRemote(context, path[RemotePages.Path.Length..]),
        _ when !HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method) =>
            Text(context, StatusCodes.Status405MethodNotAllowed, "only GET"),
        "/health/live" => Text(context, StatusCodes.Status200OK, "live"),
        "/health/ready" => health.NotReady is { } reason
            ? Text(context, StatusCodes.Status503ServiceUnavailable, $"not ready: {reason}")
            : Text(context, StatusCodes.Status200OK, "ready"),
        "/metrics" => Metrics(context, metrics),
        _ => Text(context, StatusCodes.Status404NotFound, "there are /health/live, /health/ready and /metrics"),
    };

    private async Task AnswerBroker(HttpContext context, string[] path)
    {
        if (!HttpMethods.IsPost(context.Request.Method) || path.Length != 2 || !int.TryParse(path[0], CultureInfo.InvariantCulture, out var id))
            await Text(context, StatusCodes.Status400BadRequest, "brokers are changed by POST /brokers/ID/kill, pause, resume, stop or start");
        else if (!IsFromHere(context) || context.Request.Headers.ContainsKey("Origin"))
            await Text(context, StatusCodes.Status403Forbidden, "brokers are changed from the machine that they run on, and not by web pages");
        else if (ChangeBroker is not { } change)
            await Text(context, StatusCodes.Status503ServiceUnavailable, "the brokers are still starting");
        else if (await change(id, path[1]) is var (isChanged, text))
            await Text(context, isChanged ? StatusCodes.Status200OK : StatusCodes.Status409Conflict, text);
    }

    private Task AnswerRemote(HttpContext context, string page) =>
        !IsFromHere(context) || context.Request.Headers.ContainsKey("Origin")
            ? Text(context, StatusCodes.Status403Forbidden, "the remote store is looked after from the machine that a broker runs on, and not by web pages")
        : FindBroker?.Invoke() is { } broker ? RemotePages.AnswerAsync(context, broker, page)
        : Text(context, StatusCodes.Status503ServiceUnavailable, "the brokers are still starting");

    private static bool IsFromHere(HttpContext context) => context.Connection.RemoteIpAddress is { } peer && IPAddress.IsLoopback(peer);

    internal static Task Text(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text + "\n", Encoding.UTF8);
    }

    private static async Task Metrics(HttpContext context, MetricCollector metrics)
    {
        context.Response.ContentType = PrometheusWriter.ContentType;
        metrics.Write(new PrometheusWriter(context.Response.BodyWriter));
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
