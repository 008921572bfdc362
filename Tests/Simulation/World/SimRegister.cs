using OrleansLog.Replication.Metadata;
using OrleansLog.Simulation.Running;

namespace OrleansLog.Simulation.World;

/// <summary>How the register serves. May change during a run.</summary>
public sealed class RegisterFaults
{
    public (long Min, long Max) DelayUs { get; set; } = (200, 2_000);

    /// <summary>How often a call fails and has no effect.</summary>
    public double Fails { get; set; }

    /// <summary>How often a write takes effect and its answer is lost.</summary>
    public double LosesReply { get; set; }

    /// <summary>How often a write fails for its caller, and takes effect later all the same.</summary>
    public double AppliesLate { get; set; }
}

/// <summary>The metadata register: one linearisable store, and a client of it for each process.</summary>
public sealed class SimRegister(SimScheduler scheduler, SimRandom random)
{
    private readonly SortedDictionary<string, RegisterEntry> _entries = new(StringComparer.Ordinal);
    private long _version;

    public RegisterFaults Faults { get; set; } = new();

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

    private Task<T> Call<T>(Func<T> operation, bool isWrite, Func<bool> mayApplyLate, CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        cancellationToken.UnsafeRegister(static source => ((TaskCompletionSource<T>)source!).TrySetCanceled(), done);
        scheduler.After(DelayUs(), () => Serve(operation, isWrite, mayApplyLate, done));
        return done.Task;
    }

    private void Serve<T>(Func<T> operation, bool isWrite, Func<bool> mayApplyLate, TaskCompletionSource<T> done)
    {
        if (random.Chance(Faults.Fails))
        {
            Fail(done);
        }
        else if (isWrite && random.Chance(Faults.AppliesLate))
        {
            Fail(done);
            scheduler.After(DelayUs() * 20, () =>
            {
                if (mayApplyLate()) operation();
            });
        }
        else
        {
            var result = operation();
            if (isWrite && random.Chance(Faults.LosesReply)) Fail(done);
            else scheduler.After(DelayUs(), () => done.TrySetResult(result));
        }
    }

    private void Fail<T>(TaskCompletionSource<T> done) =>
        scheduler.After(DelayUs(), () => done.TrySetException(new IOException("The metadata register does not answer")));

    private long DelayUs() => random.Between(Faults.DelayUs.Min, Faults.DelayUs.Max);

    private sealed class Client(SimRegister register, SimProcess process) : IMetadataRegister
    {
        public async ValueTask<RegisterEntry?> GetAsync(string key, CancellationToken cancellationToken) =>
            await register.Call(() => register._entries.GetValueOrDefault(key), isWrite: false, () => true, cancellationToken);

        public async ValueTask<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken) =>
            await register.Call<IReadOnlyList<string>>(
                () => [.. register._entries.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal))],
                isWrite: false, () => true, cancellationToken);

        public async ValueTask<RegisterVersion?> PutAsync(
            string key, ReadOnlyMemory<byte> document, RegisterVersion? expected, CancellationToken cancellationToken) =>
            await register.Call(() => register.Put(key, document, expected), isWrite: true, () => !process.IsForgotten, cancellationToken);

        public async ValueTask<bool> DeleteAsync(string key, RegisterVersion expected, CancellationToken cancellationToken) =>
            await register.Call(
                () => register._entries.GetValueOrDefault(key)?.Version == expected && register._entries.Remove(key),
                isWrite: true, () => !process.IsForgotten, cancellationToken);
    }
}
