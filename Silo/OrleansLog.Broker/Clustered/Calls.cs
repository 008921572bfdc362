namespace OrleansLog.Broker.Clustered;

/// <summary>Calls to brokers of which any may fail, where another one will do or the outcome shows elsewhere.</summary>
internal static class Calls
{
    public static async Task TryAsync(Func<Task> call)
    {
        try
        {
            await call();
        }
        catch (Exception failed) when (failed is IOException or OperationCanceledException)
        {
            // Its disk failed, it is closing, or it did not answer.
        }
    }

    public static async Task<T?> TryAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (Exception failed) when (failed is IOException or OperationCanceledException)
        {
            return default;
        }
    }
}
