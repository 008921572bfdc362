using OrleansLog.Protocol.Messages;

namespace OrleansLog.Replication.Brokers;

/// <summary>What brokers ask of one another about share groups (KIP-932), in the latest versions of the APIs. Any thread.</summary>
/// <remarks>Every method throws <see cref="IOException"/> when no answer came; whether the call took effect is unknown then.</remarks>
public interface IShareStatePeer
{
    /// <summary>A group's coordinator has a share coordinator begin states.</summary>
    Task<InitializeShareGroupStateResponse> InitializeShareStateAsync(InitializeShareGroupStateRequest request, CancellationToken cancellationToken);

    /// <summary>A partition's leader reads states.</summary>
    Task<ReadShareGroupStateResponse> ReadShareStateAsync(ReadShareGroupStateRequest request, CancellationToken cancellationToken);

    /// <summary>A partition's leader changes states.</summary>
    Task<WriteShareGroupStateResponse> WriteShareStateAsync(WriteShareGroupStateRequest request, CancellationToken cancellationToken);

    /// <summary>A group's coordinator has states deleted.</summary>
    Task<DeleteShareGroupStateResponse> DeleteShareStateAsync(DeleteShareGroupStateRequest request, CancellationToken cancellationToken);

    /// <summary>A group's coordinator asks how far share-partitions have come.</summary>
    Task<ReadShareGroupStateSummaryResponse> SummarizeShareStateAsync(ReadShareGroupStateSummaryRequest request, CancellationToken cancellationToken);

    /// <summary>A group's coordinator asks a leader where its partitions end.</summary>
    Task<ListOffsetsResponse> ListOffsetsAsync(ListOffsetsRequest request, CancellationToken cancellationToken);
}

/// <summary>What the coordinators of brokers, and those whom they coordinate, ask of one another. Any thread.</summary>
public interface ICoordinatorPeer : ITransactionPeer, IShareStatePeer;
