using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace OrleansLog.Blobs;

/// <summary>Calls to a blob container, as those see them who know nothing of the SDK.</summary>
internal static class BlobCalls
{
    // Nobody writes it.
    private const string NoBlob = "no-such-blob";

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
            throw new BlobStorageException($"Could not {what}: {BlobAdvice.Describe(e)}", e);
        }
    }

    /// <summary>A container by its name and where it is; without the SAS that its address may hold.</summary>
    public static string NameOf(BlobContainerClient container) => $"container '{container.Name}' of {container.Uri.Authority}";

    /// <summary>Makes a container where it is missing. Where it is not, the right to make one is not needed.</summary>
    /// <exception cref="BlobStorageException">It can neither be looked into nor made.</exception>
    public static async Task OpenAsync(BlobContainerClient container, CancellationToken cancellationToken)
    {
        try
        {
            await CallAsync($"look into {NameOf(container)}", container.GetBlobClient(NoBlob).GetPropertiesAsync(cancellationToken: cancellationToken), cancellationToken);
        }
        catch (IOException e) when (CodeOf(e) == BlobErrorCode.BlobNotFound)
        {
            // Then the container is there.
        }
        catch (IOException e) when (CodeOf(e) == BlobErrorCode.ContainerNotFound)
        {
            await CallAsync($"make {NameOf(container)}, which is not there", container.CreateIfNotExistsAsync(cancellationToken: cancellationToken), cancellationToken);
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
