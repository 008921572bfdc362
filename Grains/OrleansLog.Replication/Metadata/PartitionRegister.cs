using OrleansLog.Protocol;

namespace OrleansLog.Replication.Metadata;

/// <summary>A partition's record and the version that a change of it must name.</summary>
public sealed record VersionedPartition(PartitionRecord Record, RegisterVersion Version);

/// <summary>
/// Reads and changes partition records. A change goes on until its outcome is certain: a write that got no answer may
/// still take effect later, so it is repeated against the same version until it either wins or is known to have lost.
/// Any thread.
/// </summary>
/// <param name="register">The register.</param>
/// <param name="nonces">Draws a name that nobody draws twice, for each change.</param>
/// <param name="time">Waits between attempts.</param>
/// <param name="retryDelayMs">How long it waits.</param>
public sealed class PartitionRegister(IMetadataRegister register, Func<string> nonces, TimeProvider time, long retryDelayMs)
{
    /// <summary>
    /// Told of every record that this writer put into the register. Changes by one writer may be told out of order:
    /// <see cref="PartitionRecord.PartitionEpoch"/> says which is later.
    /// </summary>
    public Action<TopicPartition, PartitionRecord>? Changed { get; init; }

    /// <summary>The record as it is now; null when there is none. Tries until it has an answer.</summary>
    public async Task<VersionedPartition?> ReadAsync(TopicPartition partition, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                var entry = await register.GetAsync(PartitionRecord.KeyOf(partition), cancellationToken);
                return entry is null ? null : new(PartitionRecord.Parse(entry.Document.Span), entry.Version);
            }
            catch (IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(retryDelayMs), time, cancellationToken);
            }
        }
    }

    /// <summary>
    /// Writes a record in the place of the version <paramref name="expected"/> (null: where there is none). Answers the
    /// new version, or, when another change came first, what there is now.
    /// </summary>
    public async Task<RegisterChange> ChangeAsync(
        TopicPartition partition, PartitionRecord record, RegisterVersion? expected, CancellationToken cancellationToken)
    {
        record = record with { Nonce = nonces(), PartitionEpoch = record.PartitionEpoch + 1 };
        var document = record.Serialize();
        while (true)
        {
            try
            {
                if (await register.PutAsync(PartitionRecord.KeyOf(partition), document, expected, cancellationToken) is { } version)
                    return Accepted(partition, new(record, version));
            }
            catch (IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(retryDelayMs), time, cancellationToken);
            }
            var current = await ReadAsync(partition, cancellationToken);
            if (current?.Record.Nonce == record.Nonce) return Accepted(partition, current);
            if (current?.Version != expected) return new(false, current);
        }
    }

    /// <summary>Takes a partition out of the register, whatever its record says by then.</summary>
    public async Task DeleteAsync(TopicPartition partition, CancellationToken cancellationToken)
    {
        while (await ReadAsync(partition, cancellationToken) is { } current)
        {
            try
            {
                if (await register.DeleteAsync(PartitionRecord.KeyOf(partition), current.Version, cancellationToken)) return;
            }
            catch (IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(retryDelayMs), time, cancellationToken);
            }
        }
    }

    /// <summary>What a broker is registered with; null for one that was never seen. Tries until it has an answer.</summary>
    public async Task<BrokerRecord?> ReadBrokerAsync(BrokerId broker, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                var entry = await register.GetAsync(BrokerRecord.KeyOf(broker), cancellationToken);
                return entry is null ? null : BrokerRecord.Parse(entry.Document.Span);
            }
            catch (IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(retryDelayMs), time, cancellationToken);
            }
        }
    }

    private RegisterChange Accepted(TopicPartition partition, VersionedPartition written)
    {
        Changed?.Invoke(partition, written.Record);
        return new(true, written);
    }
}

/// <summary>How a change ended.</summary>
/// <param name="IsAccepted">Whether <paramref name="Current"/> is the writer's own.</param>
/// <param name="Current">What the register holds; null when the record is gone.</param>
public readonly record struct RegisterChange(bool IsAccepted, VersionedPartition? Current);
