namespace OrleansLog.Coordination;

/// <summary>Who calls, in which version of the API, and until when the answer is wanted.</summary>
/// <param name="ClientId">The client's own name, from the request header. Empty when it gave none.</param>
/// <param name="ClientHost">The client's address, as groups are described with it: <c>/127.0.0.1</c>.</param>
/// <param name="ApiVersion">The version of the request, which some answers depend on.</param>
/// <param name="Cancellation">
/// Cancelled when the connection is gone. The call then throws <see cref="OperationCanceledException"/>; what the
/// request has already brought about stays.
/// </param>
public readonly record struct CallContext(
    string ClientId, string ClientHost, short ApiVersion, CancellationToken Cancellation = default);
