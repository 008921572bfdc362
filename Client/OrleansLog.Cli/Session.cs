using System.CommandLine;
using System.Globalization;
using System.Net.Sockets;
using OrleansLog.Client;

namespace OrleansLog.Cli;

/// <summary>One run of one command: its arguments, its terminal and, once asked for, its client.</summary>
internal sealed class Session(ParseResult arguments) : IAsyncDisposable
{
    private const int OperationTimeoutMs = 30_000;
    private const int ReachTimeoutMs = 3_000;
    private const int DefaultPort = 9092;

    private OrleansLogClient? _client;

    public Terminal Terminal { get; } = (Terminal)arguments.InvocationConfiguration;

    public TextWriter Out => Terminal.Output;

    public TextWriter Error => Terminal.Error;

    public T Get<T>(Option<T> option) => arguments.GetValue(option)!;

    public T Get<T>(Argument<T> argument) => arguments.GetValue(argument)!;

    /// <summary>Whether the option stands on the command line.</summary>
    public bool Has(Option option) => arguments.GetResult(option) is { Implicit: false };

    /// <summary>The client, after a look whether anything listens there: a refusal is known at once, a client would retry.</summary>
    /// <exception cref="CommandException">Nothing listens there.</exception>
    public async Task<OrleansLogClient> ConnectAsync(CancellationToken cancellationToken)
    {
        if (_client is not null) return _client;
        var servers = Get(CommonOptions.Bootstrap);
        var options = new ClientOptions { BootstrapServers = servers, ClientId = "olog", OperationTimeoutMs = OperationTimeoutMs };
        if (Terminal.OpenClient is { } open) return _client = open(options);
        await ReachAnyAsync(servers, cancellationToken);
        return _client = new OrleansLogClient(options);
    }

    /// <summary>Tells something about the work on standard error, but only to a person who watches.</summary>
    public void Remark(string text)
    {
        if (Terminal.ErrorIsTerminal) Error.WriteLine($"olog: {text}");
    }

    public ValueTask DisposeAsync() => _client?.DisposeAsync() ?? default;

    private static async Task ReachAnyAsync(string servers, CancellationToken cancellationToken)
    {
        var reason = "";
        foreach (var server in servers.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            reason = await ReachAsync(server, cancellationToken);
            if (reason.Length == 0) return;
        }
        throw new CommandException(
            $"{reason} Start a broker with 'dotnet run --project Silo/OrleansLog.Silo', or name the address of one with --bootstrap HOST:PORT.");
    }

    /// <returns>Why not, or nothing.</returns>
    private static async Task<string> ReachAsync(string server, CancellationToken cancellationToken)
    {
        var (host, port) = Split(server);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(ReachTimeoutMs);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(host, port, limit.Token);
            return "";
        }
        catch (SocketException refusal) when (refusal.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return $"nothing listens at {server}.";
        }
        catch (SocketException refusal)
        {
            return $"cannot reach {server}: {refusal.Message}.";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"{server} did not answer within {ReachTimeoutMs / 1000} seconds.";
        }
    }

    private static (string Host, int Port) Split(string server)
    {
        var colon = server.LastIndexOf(':');
        if (colon < 0 || server.EndsWith(']')) return (server.Trim('[', ']'), DefaultPort);
        if (ushort.TryParse(server.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0)
            return (server[..colon].Trim('[', ']'), port);
        throw new CommandException($"'{server}' is not an address: write HOST:PORT, for instance 127.0.0.1:9092.", ExitCode.Usage);
    }
}
