using OrleansLog.Protocol.Messages;

namespace OrleansLog.Replication.Brokers;

/// <summary>What brokers ask of one another about transactions. Any thread.</summary>
/// <remarks>Every method throws <see cref="IOException"/> when no answer came; whether the call took effect is unknown then.</remarks>
public interface ITransactionPeer
{
    /// <summary>
    /// A partition's leader asks a coordinator to make the partition part of a transaction, or whether it is (KIP-890), in the
    /// latest version of the API.
    /// </summary>
    Task<AddPartitionsToTxnResponse> AddPartitionsToTxnAsync(AddPartitionsToTxnRequest request, CancellationToken cancellationToken);

    /// <summary>A coordinator has leaders write the ends of transactions, in the latest version of the API.</summary>
    Task<WriteTxnMarkersResponse> WriteTxnMarkersAsync(WriteTxnMarkersRequest request, CancellationToken cancellationToken);
}
