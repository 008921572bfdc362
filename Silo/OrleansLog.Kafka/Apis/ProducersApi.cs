using OrleansLog.Kafka.Requests;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Kafka.Apis;

/// <summary>Idempotent producers: the ids that they write under.</summary>
internal sealed class ProducersApi(Broker.Broker broker)
{
    public void Register(ApiDispatcher dispatcher) =>
        dispatcher.Register<InitProducerIdRequest, InitProducerIdResponse>(InitProducerIdAsync);

    /// <summary>
    /// Without a transactional id there is nothing to go on from: such a producer counts its epochs itself, and asks when it
    /// wants another id (KIP-360).
    /// </summary>
    private async ValueTask<InitProducerIdResponse> InitProducerIdAsync(InitProducerIdRequest request, RequestContext context)
    {
        if (request.TransactionalId is not null)
            return new() { ErrorCode = ErrorCode.InvalidRequest };
        return new() { ProducerId = await broker.ProducerIds.NextAsync(context.Closed), ProducerEpoch = 0 };
    }
}
