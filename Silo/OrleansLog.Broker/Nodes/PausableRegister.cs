using OrleansLog.Replication.Metadata;

namespace OrleansLog.Broker.Nodes;

/// <summary>The metadata register as one broker reaches it: not at all while the broker is paused.</summary>
internal sealed class PausableRegister(IMetadataRegister register, PauseGate gate) : IMetadataRegister
{
    public async ValueTask<RegisterEntry?> GetAsync(string key, CancellationToken cancellationToken)
    {
        await gate.PassAsync(cancellationToken);
        return await register.GetAsync(key, cancellationToken);
    }

    public async ValueTask<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        await gate.PassAsync(cancellationToken);
        return await register.ListAsync(prefix, cancellationToken);
    }

    public async ValueTask<RegisterVersion?> PutAsync(
        string key, ReadOnlyMemory<byte> document, RegisterVersion? expected, CancellationToken cancellationToken)
    {
        await gate.PassAsync(cancellationToken);
        return await register.PutAsync(key, document, expected, cancellationToken);
    }

    public async ValueTask<bool> DeleteAsync(string key, RegisterVersion expected, CancellationToken cancellationToken)
    {
        await gate.PassAsync(cancellationToken);
        return await register.DeleteAsync(key, expected, cancellationToken);
    }
}
