using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace OrleansLog.Blobs;

/// <summary>Calls to a blob container, as those see them who know nothing of the SDK.</summary>
internal static class BlobCalls
{
    /// <summary>Lets whatever goes wrong in a call be an <see cref="IOException"/>, but for the caller's own cancellation.</summary>
    public static async Task<T> CallAsync<T>(string what, Task<T> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call;
        }
        // Not by type: credentials of every kind throw exceptions of their own.
        catch (Exception e) when (e is not IOException && !(e is OperationCanceledException && cancellationToken.IsCancellationRequested))
        {
            throw new IOException($"Could not {what}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    /// <summary>Whether the service refused a condition, and did nothing.</summary>
    public static bool IsRefusal(IOException failure) =>
        CodeOf(failure) is { } code && (code == BlobErrorCode.ConditionNotMet || code == BlobErrorCode.BlobAlreadyExists || code == BlobErrorCode.BlobNotFound);

    public static BlobErrorCode? CodeOf(IOException failure) =>
        failure.InnerException is RequestFailedException { ErrorCode: { } code } ? new BlobErrorCode(code) : null;

    public static BlobRequestConditions ConditionsOf(string? expectedTag) =>
        expectedTag is null ? new() { IfNoneMatch = ETag.All } : new() { IfMatch = new ETag(expectedTag) };

    public static BlobClientOptions ClientOptions(int answerTimeoutMs, int retriesMax) => new()
    {
        Retry = { MaxRetries = retriesMax, NetworkTimeout = TimeSpan.FromMilliseconds(answerTimeoutMs) },
    };
}
