using System.Net;
using System.Net.Sockets;
using System.Text;
using OrleansLog.Cli;

namespace OrleansLog.UnitTests.Cli;

/// <summary>Commands that talk HTTP to the process that runs the brokers: here one that answers a single request.</summary>
public sealed class BrokerActionTests
{
    [Theory]
    [InlineData("kill")]
    [InlineData("pause")]
    [InlineData("resume")]
    [InlineData("start")]
    [InlineData("stop")]
    public async Task An_action_is_posted_and_its_answer_shown(string action)
    {
        var (run, request) = await RunAsync($"brokers {action} 2", "200 OK", "done with broker 2\n");
        Assert.StartsWith($"POST /brokers/2/{action} HTTP/1.1", request, StringComparison.Ordinal);
        Assert.Equal((ExitCode.Success, "done with broker 2", ""), (run.ExitCode, run.Text.Trim(), run.Error));
    }

    [Theory]
    [InlineData("409 Conflict", "broker 2 is not running\n", "olog: broker 2 is not running.")]
    [InlineData("404 Not Found", "there is no broker 2.", "olog: there is no broker 2.")]
    [InlineData("500 Internal Server Error", "", "olog: HTTP 500.")]
    public async Task A_refusal_is_shown_in_one_line(string status, string text, string expected)
    {
        var (run, _) = await RunAsync("brokers kill 2", status, text);
        Assert.Equal((ExitCode.Failure, "", expected), (run.ExitCode, run.Text, run.Error.Trim()));
    }

    [Fact]
    public async Task Where_nothing_listens_it_says_what_to_start()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        var run = await OlogScript.RunAsync($"brokers kill 2 --http http://127.0.0.1:{port}");
        Assert.Equal(ExitCode.Failure, run.ExitCode);
        Assert.StartsWith($"olog: nothing listens at http://127.0.0.1:{port}/. Start a cluster with", run.Error, StringComparison.Ordinal);
    }

    private static async Task<(OlogResult Run, string Request)> RunAsync(string line, string status, string text)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var answering = AnswerOneAsync(listener, status, text);
        var run = await OlogScript.RunAsync($"{line} --http http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
        return (run, await answering);
    }

    private static async Task<string> AnswerOneAsync(TcpListener listener, string status, string text)
    {
        using var client = await listener.AcceptTcpClientAsync();
        var stream = client.GetStream();
        using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
        var first = await reader.ReadLineAsync() ?? "";
        while (await reader.ReadLineAsync() is { Length: > 0 })
        {
        }
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: {text.Length}\r\nConnection: close\r\n\r\n{text}"));
        return first;
    }
}
