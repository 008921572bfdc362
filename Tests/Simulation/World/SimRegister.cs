using OrleansLog.Replication.Metadata;
using OrleansLog.Simulation.Running;

namespace OrleansLog.Simulation.World;

/// <summary>The metadata register: one linearisable store, and a client of it for each process.</summary>
public sealed class SimRegister(SimScheduler scheduler, SimRandom random)
{
    private readonly SortedDictionary<string, RegisterEntry> _entries = new(StringComparer.Ordinal);
    private readonly SimService _service = new(scheduler, random, "metadata register");
    private long _version;

    public ServiceFaults Faults
    {
        get => _service.Faults;
        set => _service.Faults = value;
    }

    /// <summary>Told of every change.</summary>
    public Action<string, RegisterEntry>? Changed { get; set; }

    /// <summary>The truth, without delay: for checkers and fault injection.</summary>
    public RegisterEntry? Peek(string key) => _entries.GetValueOrDefault(key);

    public IMetadataRegister ClientOf(SimProcess process) => new Client(this, process);

    private RegisterVersion? Put(string key, ReadOnlyMemory<byte> document, RegisterVersion? expected)
    {
        if (_entries.GetValueOrDefault(key)?.Version != expected) return null;
        var entry = new RegisterEntry(document, new RegisterVersion(++_version));
        _entries[key] = entry;
        Changed?.Invoke(key, entry);
        return entry.Version;
    }

    private sealed class Client(SimRegister register, SimProcess process) : IMetadataRegister
    {
        public async ValueTask<RegisterEntry?> GetAsync(string key, CancellationToken cancellationToken) =>
            await register._service.Call(() => register._entries.GetValueOrDefault(key), isWrite: false, () => true, cancellationToken);

        public async ValueTask<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken) =>
            await register._service.Call<IReadOnlyList<string>>(
                () => [.. register._entries.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal))],
                isWrite: false, () => true, cancellationToken);

        public async ValueTask<RegisterVersion?> PutAsync(
            string key, ReadOnlyMemory<byte> document, RegisterVersion? expected, CancellationToken cancellationToken) =>
            await register._service.Call(() => register.Put(key, document, expected), isWrite: true, () => !process.IsForgotten, cancellationToken);

        public async ValueTask<bool> DeleteAsync(string key, RegisterVersion expected, CancellationToken cancellationToken) =>
            await register._service.Call(
                () => register._entries.GetValueOrDefault(key)?.Version == expected && register._entries.Remove(key),
                isWrite: true, () => !process.IsForgotten, cancellationToken);
    }
}
