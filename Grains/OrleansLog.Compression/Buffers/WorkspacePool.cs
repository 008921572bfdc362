namespace OrleansLog.Compression.Buffers;

/// <summary>
/// Keeps the working memory of finished calls for later ones, at most <see cref="IdleMax"/> pieces of it. Any thread;
/// a rented workspace belongs to its renter alone until it comes back; one whose call failed need not come back.
/// </summary>
internal sealed class WorkspacePool<T>(Func<T> create) where T : class
{
    /// <summary>Workspaces kept while nobody uses them; what comes back beyond that is left to the garbage collector.</summary>
    public const int IdleMax = 16;

    private readonly T?[] _idle = new T?[IdleMax];

    public T Rent()
    {
        foreach (ref var slot in _idle.AsSpan())
        {
            if (slot is not null && Interlocked.Exchange(ref slot, null) is { } workspace) return workspace;
        }
        return create();
    }

    public void Return(T workspace)
    {
        foreach (ref var slot in _idle.AsSpan())
        {
            if (slot is null && Interlocked.CompareExchange(ref slot, workspace, null) is null) return;
        }
    }
}
