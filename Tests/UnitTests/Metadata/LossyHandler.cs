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
    public IReadOnlyList<string> Sent => _sent;

    /// <summary>How many of the next requests of a method never arrive, or are answered by nobody.</summary>
    public Dictionary<HttpMethod, int> Lost { get; } = [];

    /// <summary>How many of the next requests of a method are carried out, and their answers lost.</summary>
    public Dictionary<HttpMethod, int> Unanswered { get; } = [];

    /// <summary>How many of the next requests of a method are refused because the service is too busy.</summary>
    public Dictionary<HttpMethod, int> Busy { get; } = [];

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        _sent.Add($"{request.Method} {request.RequestUri!.Query}");
        if (Take(Lost, request.Method)) throw new HttpRequestException("The request was lost.");
        if (Take(Busy, request.Method)) return new HttpResponseMessage(HttpStatusCode.ServiceUnavailable) { RequestMessage = request };
        var response = await base.SendAsync(request, cancellationToken);
        if (!Take(Unanswered, request.Method)) return response;
        response.Dispose();
        throw new HttpRequestException("The answer was lost.");
    }

    private static bool Take(Dictionary<HttpMethod, int> left, HttpMethod method)
    {
        if (left.GetValueOrDefault(method) == 0) return false;
        left[method]--;
        return true;
    }
}
