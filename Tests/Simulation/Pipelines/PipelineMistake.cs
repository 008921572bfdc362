namespace OrleansLog.Simulation.Pipelines;

/// <summary>A mistake of the pipeline's members, to see it found.</summary>
public enum PipelineMistake
{
    None,

    /// <summary>Positions are committed by themselves, after the transaction.</summary>
    PositionsOutside,

    /// <summary>Members consume records of transactions that may yet be aborted.</summary>
    ReadsUncommitted,
}
