using System.Net;

namespace OrleansLog.UnitTests.Metadata;

/// <summary>A way to a blob service that counts requests, and loses what a test tells it to lose.</summary>
internal sealed class LossyHandler : DelegatingHandler
{
    private readonly List<string> _sent = [];

    public LossyHandler() : base(new SocketsHttpHandler())
    {
    }

    /// <summary>The method and the query of each request, in order.</summary>
    public IReadOnlyList<string> Sent
    {
        get
        {
            lock (_sent) return [.. _sent];
        }
    }

    /// <summary>How many of the next requests of a method never arrive, or are answered by nobody.</summary>
    public Dictionary<HttpMethod, int> Lost { get; } = [];

    /// <summary>How many of the next requests of a method are carried out, and their answers lost.</summary>
    public Dictionary<HttpMethod, int> Unanswered { get; } = [];

    /// <summary>How many of the next requests of a method are refused because the service is too busy.</summary>
    public Dictionary<HttpMethod, int> Busy { get; } = [];

    /// <summary>What happens elsewhere before the loss of a request or an answer is noticed.</summary>
    public Func<Task> Meanwhile { get; set; } = () => Task.CompletedTask;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        lock (_sent) _sent.Add($"{request.Method} {request.RequestUri!.Query}");
        if (Take(Lost, request.Method)) return await LoseAsync("request");
        if (Take(Busy, request.Method)) return new HttpResponseMessage(HttpStatusCode.ServiceUnavailable) { RequestMessage = request };
        var response = await base.SendAsync(request, cancellationToken);
        if (!Take(Unanswered, request.Method)) return response;
        response.Dispose();
        return await LoseAsync("answer");
    }

    private async Task<HttpResponseMessage> LoseAsync(string what)
    {
        await Meanwhile();
        throw new HttpRequestException($"The {what} was lost.");
    }

    private static bool Take(Dictionary<HttpMethod, int> left, HttpMethod method)
    {
        lock (left)
        {
            if (left.GetValueOrDefault(method) == 0) return false;
            left[method]--;
            return true;
        }
    }
}
