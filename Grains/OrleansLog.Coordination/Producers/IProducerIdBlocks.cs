namespace OrleansLog.Coordination.Producers;

/// <summary>Hands out blocks of producer ids, none of which any broker of the cluster is ever given twice (KIP-730).</summary>
public interface IProducerIdBlocks
{
    /// <summary>The next block. Tries until it has one.</summary>
    /// <exception cref="OperationCanceledException">The caller gave up; a block may be lost with that.</exception>
    Task<ProducerIdBlock> TakeAsync(CancellationToken cancellationToken);
}

/// <summary>So many producer ids, one after another.</summary>
public readonly record struct ProducerIdBlock(long First, int Count);
