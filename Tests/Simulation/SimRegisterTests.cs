using OrleansLog.Replication.Metadata;
using OrleansLog.Simulation.Running;
using OrleansLog.Simulation.World;
using OrleansLog.UnitTests.Metadata;

namespace OrleansLog.Simulation;

/// <summary>The simulated register keeps to the contract of the real ones: else it would prove nothing about them.</summary>
public sealed class SimRegisterTests : RegisterContract
{
    private const ulong Seed = 7;

    private (SimScheduler Scheduler, SimRegister Register)? _world;

    protected override Task<IMetadataRegister> OpenAsync()
    {
        _world ??= Create();
        var (scheduler, register) = _world.Value;
        return Task.FromResult<IMetadataRegister>(new Awaited(scheduler, new SimProcess(scheduler), register));
    }

    private static (SimScheduler, SimRegister) Create()
    {
        var scheduler = new SimScheduler(new SimRandom(Seed), reorderUs: 0);
        return (scheduler, new SimRegister(scheduler, new SimRandom(Seed)));
    }

    /// <summary>Lets simulated time go by until each call has its answer.</summary>
    private sealed class Awaited(SimScheduler scheduler, SimProcess process, SimRegister store) : IMetadataRegister
    {
        private readonly IMetadataRegister _register = store.ClientOf(process);

        public ValueTask<RegisterEntry?> GetAsync(string key, CancellationToken cancellationToken) =>
            Await(() => _register.GetAsync(key, cancellationToken));

        public ValueTask<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken) =>
            Await(() => _register.ListAsync(prefix, cancellationToken));

        public ValueTask<RegisterVersion?> PutAsync(
            string key, ReadOnlyMemory<byte> document, RegisterVersion? expected, CancellationToken cancellationToken) =>
            Await(() => _register.PutAsync(key, document, expected, cancellationToken));

        public ValueTask<bool> DeleteAsync(string key, RegisterVersion expected, CancellationToken cancellationToken) =>
            Await(() => _register.DeleteAsync(key, expected, cancellationToken));

        private ValueTask<T> Await<T>(Func<ValueTask<T>> call)
        {
            Task<T>? task = null;
            process.Enter(() => task = call().AsTask());
            Assert.True(scheduler.RunUntil(long.MaxValue, () => task!.IsCompleted));
            return new(task!);
        }
    }
}
