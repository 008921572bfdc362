using System.CommandLine;
using System.Net.Sockets;

namespace OrleansLog.Cli;

/// <summary>The HTTP address of a process that runs brokers, for what Kafka's protocol knows nothing of. One run of one command.</summary>
internal sealed class ProcessHttp : IDisposable
{
    public static readonly Option<Uri?> Address = new("--http")
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

    private const int AnswerCharsMax = 4096;

    private readonly Uri _address;
    private readonly HttpClient _http;
    private readonly TimeSpan _timeMax;

    /// <param name="session">Says where the process is.</param>
    /// <param name="timeMax">How long a command waits until an answer begins.</param>
    public ProcessHttp(Session session, TimeSpan timeMax)
    {
        _address = session.Get(Address)!;
        _timeMax = timeMax;
        _http = new HttpClient
        {
            BaseAddress = _address.AbsoluteUri.EndsWith('/') ? _address : new Uri(_address.AbsoluteUri + "/"),
            Timeout = timeMax,
        };
    }

    /// <summary>Has something done, and answers in one line what was.</summary>
    /// <exception cref="CommandException">Nothing was; the message says why.</exception>
    public async Task<string> PostAsync(string path, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(HttpMethod.Post, path, cancellationToken);
        return await ReadLineAsync(answer, cancellationToken);
    }

    /// <summary>The lines of an answer, as they come.</summary>
    /// <exception cref="CommandException">There is none; the message says why.</exception>
    public async IAsyncEnumerable<string> ReadLinesAsync(
        HttpMethod method, string path, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(method, path, cancellationToken);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(cancellationToken));
        while (await NextLineAsync(reader, cancellationToken) is { } line) yield return line;
    }

    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, CancellationToken cancellationToken)
    {
        try
        {
            using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
            var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (answer.IsSuccessStatusCode) return answer;
            using (answer) throw new CommandException($"{(await ReadLineAsync(answer, cancellationToken)).TrimEnd('.')}.");
        }
        catch (HttpRequestException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused })
        {
            throw new CommandException(
                $"nothing listens at {_address}. Start a cluster with 'dotnet run --project Silo/OrleansLog.Silo -- --brokers 3', or name its HTTP address with --http URL.");
        }
        catch (HttpRequestException e)
        {
            throw new CommandException($"{_address} could not be asked: {e.Message.TrimEnd('.')}.");
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CommandException($"{_address} did not answer within {_timeMax.TotalSeconds:F0} seconds.");
        }
    }

    private async Task<string?> NextLineAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.ReadLineAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw new CommandException($"{_address} broke off amid its answer: {e.Message.TrimEnd('.')}.");
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
}
