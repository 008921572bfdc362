using System.Globalization;
using OrleansLog.Storage;
using OrleansLog.Storage.Tiering;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Storage.Tiering;

/// <summary>What a call to the store comes to.</summary>
internal enum StoreFault
{
    None,

    /// <summary>Nothing happens, and the caller is told so.</summary>
    Fails,

    /// <summary>It happens, and the caller is told that it failed.</summary>
    LosesReply,
}

/// <summary>A store in memory that goes wrong as a test says.</summary>
internal sealed class MemoryRemoteStore(ManualClock clock) : IRemoteStore
{
    private readonly SortedDictionary<string, (byte[] Bytes, DateTimeOffset WrittenAt, int Version)> _objects = new(StringComparer.Ordinal);
    private int _versions;

    /// <summary>Asked at each write and deletion, with what is done and to what.</summary>
    public Func<string, string, StoreFault> Fault { get; set; } = static (_, _) => StoreFault.None;

    public IReadOnlyCollection<string> Names => _objects.Keys;

    public void Alter(string name, Action<byte[]> change) => change(_objects[name].Bytes);

    public void Remove(string name) => _objects.Remove(name);

    public async Task WriteAsync(string name, Stream content, CancellationToken cancellationToken)
    {
        var bytes = new byte[content.Length];
        await content.ReadExactlyAsync(bytes, cancellationToken);
        await Do("write", name, () =>
        {
            Assert.False(_objects.ContainsKey(name), $"{name} was written before");
            Put(name, bytes);
            return true;
        });
    }

    public Task<int> ReadAsync(string name, long position, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (!_objects.TryGetValue(name, out var found)) throw new RemoteObjectMissingException(name);
        var rest = found.Bytes.AsSpan((int)Math.Min(position, found.Bytes.Length));
        rest = rest[..Math.Min(rest.Length, destination.Length)];
        rest.CopyTo(destination.Span);
        return Task.FromResult(rest.Length);
    }

    public Task<RemoteDocument?> ReadDocumentAsync(string name, CancellationToken cancellationToken) => Task.FromResult(
        _objects.TryGetValue(name, out var found) ? new RemoteDocument(found.Bytes.ToArray(), TagOf(found.Version)) : (RemoteDocument?)null);

    public Task<string?> WriteDocumentAsync(string name, ReadOnlyMemory<byte> content, string? expectedTag, CancellationToken cancellationToken) => Do("replace", name, () =>
    {
        var present = _objects.TryGetValue(name, out var found) ? TagOf(found.Version) : null;
        if (present != expectedTag) return null;
        Put(name, content.ToArray());
        return TagOf(_objects[name].Version);
    });

    public Task DeleteAsync(string name, CancellationToken cancellationToken) => Do("delete", name, () => _objects.Remove(name));

    public async IAsyncEnumerable<RemoteObject> ListAsync(string prefix, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        foreach (var (name, found) in _objects.ToList())
            if (name.StartsWith(prefix, StringComparison.Ordinal)) yield return new RemoteObject(name, found.Bytes.Length, found.WrittenAt);
    }

    private Task<T> Do<T>(string what, string name, Func<T> work)
    {
        var fault = Fault(what, name);
        if (fault == StoreFault.Fails) throw new IOException($"cannot {what} {name}");
        var result = work();
        return fault == StoreFault.LosesReply ? throw new IOException($"no answer to {what} {name}") : Task.FromResult(result);
    }

    private void Put(string name, byte[] bytes) => _objects[name] = (bytes, clock.GetUtcNow(), ++_versions);

    private static string TagOf(int version) => version.ToString(CultureInfo.InvariantCulture);
}
