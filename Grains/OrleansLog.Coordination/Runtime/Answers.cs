namespace OrleansLog.Coordination.Runtime;

/// <summary>
/// Waits for several answers, or for one as long as somebody has patience. What combines tasks that let nobody run on the thread
/// that completes them goes by the thread pool; these leave the caller in its synchronization context.
/// </summary>
internal static class Answers
{
    /// <summary>Waits for all of them; all are asked for before the first is waited for.</summary>
    public static async Task<T[]> AllAsync<T>(IEnumerable<Task<T>> pending)
    {
        Task<T>[] asked = [.. pending];
        var answers = new T[asked.Length];
        for (var i = 0; i < asked.Length; i++)
            answers[i] = await asked[i];
        return answers;
    }

    /// <summary>The same answer, of a task that whoever combines it with others may run on.</summary>
    public static async Task<T> RelayAsync<T>(Task<T> pending) => await pending;
}
