using System.CommandLine;
using System.Globalization;
using System.Net.Sockets;

namespace OrleansLog.Cli.Commands;

/// <summary>
/// <c>olog brokers kill</c>, <c>pause</c>, <c>resume</c>, <c>start</c>, <c>stop</c>: tells the process that runs the
/// brokers, at its HTTP address, what to do to one of them. Kafka's protocol knows nothing of the kind.
/// </summary>
internal static class BrokerActionCommand
{
    private const int AnswerCharsMax = 4096;

    private static readonly TimeSpan AnswerTimeMax = TimeSpan.FromSeconds(60);

    private static readonly Argument<int> Id = BrokersCommand.IdArgument("The broker.");

    private static readonly Option<Uri?> Http = new("--http")
    {
        Description = "The HTTP address of the process that runs the brokers.",
        HelpName = "URL",
        DefaultValueFactory = _ => new Uri("http://127.0.0.1:8080"),
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https") return url;
            result.AddError($"--http takes an address such as http://127.0.0.1:8080, not '{text}'.");
            return null;
        },
    };

    public static IEnumerable<OlogCommand> CreateAll()
    {
        yield return Create("kill", "Ends a broker of an embedded cluster as a crash would: nothing is flushed, nobody is told.");
        yield return Create("pause", "Stops a broker in the middle of what it does, connections open, as a stalled machine would.");
        yield return Create("resume", "Lets a paused broker go on where it was.");
        yield return Create("start", "Starts a broker that was killed or stopped.");
        yield return Create("stop", "Stops a broker in good order: others take over what it leads.");
    }

    private static OlogCommand Create(string action, string description) =>
        new OlogCommand(action, description, $"olog brokers {action} 2", $"olog brokers {action} 2 --http http://127.0.0.1:8081")
        {
            Id, Http,
        }.Runs((session, cancellationToken) => RunAsync(session, action, cancellationToken));

    private static async Task RunAsync(Session session, string action, CancellationToken cancellationToken)
    {
        var address = session.Get(Http)!;
        var path = string.Create(CultureInfo.InvariantCulture, $"brokers/{session.Get(Id)}/{action}");
        using var http = new HttpClient { BaseAddress = WithSlash(address), Timeout = AnswerTimeMax };
        try
        {
            using var answer = await http.PostAsync(new Uri(path, UriKind.Relative), content: null, cancellationToken);
            var text = await ReadLineAsync(answer, cancellationToken);
            if (!answer.IsSuccessStatusCode) throw new CommandException($"{text.TrimEnd('.')}.");
            session.Out.WriteLine(text);
        }
        catch (HttpRequestException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused })
        {
            throw new CommandException(
                $"nothing listens at {address}. Start a cluster with 'dotnet run --project Silo/OrleansLog.Silo -- --brokers 3', or name its HTTP address with --http URL.");
        }
        catch (HttpRequestException e)
        {
            throw new CommandException($"{address} could not be asked: {e.Message.TrimEnd('.')}.");
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CommandException($"{address} did not answer within {AnswerTimeMax.TotalSeconds:F0} seconds.");
        }
    }

    private static async Task<string> ReadLineAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(cancellationToken));
        var text = new char[AnswerCharsMax];
        var length = await reader.ReadBlockAsync(text, cancellationToken);
        var line = new string(text, 0, length).Trim().ReplaceLineEndings(" ");
        return line.Length > 0 ? line : $"HTTP {(int)answer.StatusCode}";
    }

    private static Uri WithSlash(Uri address) =>
        address.AbsoluteUri.EndsWith('/') ? address : new Uri(address.AbsoluteUri + "/");
}
