using Orleans.Storage;

namespace OrleansLog.Grains.Metadata;

/// <summary>Lets whatever goes wrong in a grain storage be what the register says of it.</summary>
internal static class StorageCalls
{
    /// <exception cref="IOException">The storage failed.</exception>
    public static async Task CallAsync(string what, Task call, CancellationToken cancellationToken)
    {
        try
        {
            await call;
        }
        // Not by type: every provider throws its own.
        catch (Exception e) when (e is not IOException && !(e is OperationCanceledException && cancellationToken.IsCancellationRequested))
        {
            throw new IOException($"Could not {what} in the metadata register's grain storage: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    /// <summary>False when another write came first.</summary>
    /// <exception cref="IOException">The storage failed; whether the write took effect is not known.</exception>
    public static async Task<bool> TryWriteAsync(string what, Task write, CancellationToken cancellationToken)
    {
        try
        {
            await CallAsync(what, write, cancellationToken);
            return true;
        }
        catch (IOException e) when (e.InnerException is InconsistentStateException)
        {
            return false;
        }
    }
}
