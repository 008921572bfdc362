using System.Globalization;
using System.Runtime.CompilerServices;
using OrleansLog.Simulation.Running;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Simulation.World;

/// <summary>The remote store of all brokers: objects that appear whole, and a list that may be a moment old.</summary>
public sealed class SimStore(SimScheduler scheduler, SimRandom random)
{
    private const long ListLagUs = 300_000;
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly SortedDictionary<string, Stored> _objects = new(StringComparer.Ordinal);
    private readonly SimService _service = new(scheduler, random, "remote store");
    private long _version;

    public ServiceFaults Faults
    {
        get => _service.Faults;
        set => _service.Faults = value;
    }

    public bool IsAway
    {
        get => _service.IsAway;
        set => _service.IsAway = value;
    }

    /// <summary>By how much everything in it looks older than it is.</summary>
    public TimeSpan Aged { get; set; }

    /// <summary>Told of a document that was written, with its content.</summary>
    public Action<string, ReadOnlyMemory<byte>>? DocumentWritten { get; set; }

    /// <summary>Told of an object that was deleted.</summary>
    public Action<string>? Deleted { get; set; }

    /// <summary>The names of all objects as they are, without delay.</summary>
    public IEnumerable<string> Names => _objects.Keys;

    /// <summary>An object as it is, without delay.</summary>
    public ReadOnlyMemory<byte>? Peek(string name) => _objects.GetValueOrDefault(name)?.Content;

    public IRemoteStore Client { get => field ??= new StoreClient(this); }

    private string Put(string name, ReadOnlyMemory<byte> content)
    {
        _objects[name] = new(content, scheduler.NowUs, (++_version).ToString(CultureInfo.InvariantCulture));
        return _objects[name].Tag;
    }

    private Task<T> Call<T>(Func<T> operation, bool isWrite, CancellationToken cancellationToken) =>
        _service.Call(operation, isWrite, static () => true, cancellationToken);

    private sealed record Stored(ReadOnlyMemory<byte> Content, long WrittenUs, string Tag);

    private sealed class StoreClient(SimStore store) : IRemoteStore
    {
        public async Task WriteAsync(string name, Stream content, CancellationToken cancellationToken)
        {
            var bytes = new byte[content.Length];
            await content.ReadExactlyAsync(bytes, cancellationToken);
            await store.Call(() => store.Put(name, bytes), isWrite: true, cancellationToken);
        }

        public async Task<int> ReadAsync(string name, long position, Memory<byte> destination, CancellationToken cancellationToken)
        {
            var content = await store.Call(() => store.Peek(name), isWrite: false, cancellationToken) ?? throw new RemoteObjectMissingException(name);
            var rest = content[(int)Math.Min(position, content.Length)..];
            rest = rest[..Math.Min(rest.Length, destination.Length)];
            rest.CopyTo(destination);
            return rest.Length;
        }

        public Task<RemoteDocument?> ReadDocumentAsync(string name, CancellationToken cancellationToken) => store.Call(
            () => store._objects.TryGetValue(name, out var found) ? new RemoteDocument(found.Content, found.Tag) : (RemoteDocument?)null, isWrite: false, cancellationToken);

        public Task<string?> WriteDocumentAsync(string name, ReadOnlyMemory<byte> content, string? expectedTag, CancellationToken cancellationToken)
        {
            var copy = content.ToArray();
            return store.Call(() => Replace(name, copy, expectedTag), isWrite: true, cancellationToken);
        }

        public Task DeleteAsync(string name, CancellationToken cancellationToken) => store.Call(() => Delete(name), isWrite: true, cancellationToken);

        public async IAsyncEnumerable<RemoteObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            foreach (var found in await store.Call(() => List(prefix), isWrite: false, cancellationToken)) yield return found;
        }

        private string? Replace(string name, byte[] content, string? expectedTag)
        {
            if (store._objects.GetValueOrDefault(name)?.Tag != expectedTag) return null;
            var tag = store.Put(name, content);
            store.DocumentWritten?.Invoke(name, content);
            return tag;
        }

        private bool Delete(string name)
        {
            var wasThere = store._objects.Remove(name);
            if (wasThere) store.Deleted?.Invoke(name);
            return wasThere;
        }

        private List<RemoteObject> List(string prefix) =>
        [
            .. store._objects.Where(each => each.Key.StartsWith(prefix, StringComparison.Ordinal) && store.IsListed(each.Value))
                .Select(each => new RemoteObject(each.Key, each.Value.Content.Length, Start - store.Aged + TimeSpan.FromMicroseconds(each.Value.WrittenUs))),
        ];
    }

    private bool IsListed(Stored each) => scheduler.NowUs - each.WrittenUs + Aged.TotalMicroseconds > ListLagUs || random.Chance(0.5);
}
