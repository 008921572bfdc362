using Microsoft.Extensions.Logging;
using OrleansLog.Client.Metadata;
using OrleansLog.Client.Transport;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Client.Producing;

/// <summary>
/// The producer id of one producer: asked for when the first batch is about to leave. One attempt at a time; the rest may
/// be called from any thread.
/// </summary>
internal sealed class IdentitySource(Cluster cluster, ProducerOptions options, TransactionControl? transactions)
{
    /// <summary>The most batches of a partition in flight of which brokers can tell order and repetition.</summary>
    public const int BatchesInFlightMax = 5;

    private sealed record Held(ProducerIdentity Identity);

    private Held? _held = options is { EnableIdempotence: true, Acks: Acks.All } ? null : new Held(ProducerIdentity.None);

    /// <summary>Whether <see cref="Current"/> may be used.</summary>
    public bool IsKnown => Volatile.Read(ref _held) is not null;

    /// <summary>What new partitions begin with; none where records are not numbered.</summary>
    public ProducerIdentity Current => Volatile.Read(ref _held)?.Identity ?? ProducerIdentity.None;

    /// <summary>Asks for another id, because a partition has used up the epochs of this one.</summary>
    public void Discard(long producerId)
    {
        var held = Volatile.Read(ref _held);
        if (held?.Identity.ProducerId == producerId) Interlocked.CompareExchange(ref _held, null, held);
    }

    /// <summary>Goes on under another name, or with none until it is asked for.</summary>
    public void Replace(ProducerIdentity identity) => Volatile.Write(ref _held, identity == ProducerIdentity.None ? null : new Held(identity));

    /// <summary>Asks a broker for an id, once. False when there is none yet, which is logged.</summary>
    public async Task<bool> TryAcquireAsync()
    {
        try
        {
            if (transactions is not null)
            {
                Volatile.Write(ref _held, new Held(await transactions.IdentifyAsync(CancellationToken.None)));
                return true;
            }
            var request = new InitProducerIdRequest { TransactionalId = null, TransactionTimeoutMs = int.MaxValue };
            var response = await cluster.Transport.SendAsync(BrokerId.None, Lane.Control, request, CancellationToken.None);
            if (response.ErrorCode != ErrorCode.None)
                throw new OrleansLogException(response.ErrorCode, $"the broker answers {response.ErrorCode}.");
            Volatile.Write(ref _held, new Held(new ProducerIdentity(response.ProducerId, response.ProducerEpoch)));
            return true;
        }
        catch (OrleansLogException e) when (e.ErrorCode == ErrorCode.UnsupportedVersion && transactions is null)
        {
            cluster.Logger.LogWarning(
                "The brokers at {Servers} have no idempotent producers: a retry may store records twice. Set EnableIdempotence to false to say that this is meant.",
                cluster.Options.BootstrapServers);
            Volatile.Write(ref _held, new Held(ProducerIdentity.None));
            return true;
        }
        catch (Exception e)
        {
            cluster.Logger.LogWarning("No producer id yet: {Reason} Records wait for it; it is asked for again.", e.Message);
            return false;
        }
    }
}
