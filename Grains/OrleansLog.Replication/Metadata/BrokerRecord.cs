using System.Globalization;
using System.Text.Json;
using OrleansLog.Protocol;

namespace OrleansLog.Replication.Metadata;

/// <summary>
/// What a broker is known by: under <c>brokers/ID</c> in the metadata register. Each start of the broker draws a new
/// epoch, so that nothing it said before its restart is taken for what it has now (KIP-966's broker epochs).
/// </summary>
/// <param name="Id">The broker.</param>
/// <param name="Epoch">Counts its starts, from 1.</param>
/// <param name="CleanSince">
/// The earliest epoch whose progress the broker still has for certain: since then every stop was clean.
/// </param>
/// <param name="DiskSince">The epoch in which its data directory was new. What it held before is gone.</param>
/// <param name="Rack">Where it stands; replicas are spread over racks.</param>
/// <param name="Nonce">Drawn at each start: tells the broker that a write whose answer was lost was its own.</param>
/// <param name="Host">Where clients are told to reach it; empty if that is not known.</param>
/// <param name="Port">The port there.</param>
public sealed record BrokerRecord(
    BrokerId Id, long Epoch, long CleanSince, long DiskSince, string? Rack = null, string Nonce = "", string Host = "", int Port = -1)
{
    public const string KeyPrefix = "brokers/";

    public static string KeyOf(BrokerId id) => string.Create(CultureInfo.InvariantCulture, $"{KeyPrefix}{id.Value}");

    /// <summary>The record of the next start.</summary>
    /// <param name="id">The broker.</param>
    /// <param name="previous">Its record so far; null for a broker that was never seen.</param>
    /// <param name="cleanStopOf">The epoch that the clean-shutdown marker names; null without one.</param>
    /// <param name="diskIsNew">Whether the data directory was empty.</param>
    /// <param name="rack">Where the broker stands.</param>
    public static BrokerRecord Next(BrokerId id, BrokerRecord? previous, long? cleanStopOf, bool diskIsNew, string? rack = null)
    {
        if (previous is null) return new(id, 1, 1, 1, rack);
        var epoch = previous.Epoch + 1;
        if (diskIsNew) return new(id, epoch, epoch, epoch, rack);
        return new(id, epoch, cleanStopOf == previous.Epoch ? previous.CleanSince : epoch, previous.DiskSince, rack);
    }

    /// <summary>How far a membership of the in-sync set, won in an earlier epoch of this broker, can be relied on.</summary>
    public ReplicaTrust TrustIn(InSyncReplica member) =>
        member.Broker != Id || member.BrokerEpoch < DiskSince ? ReplicaTrust.Lost
        : member.BrokerEpoch < CleanSince ? ReplicaTrust.Recovered
        : ReplicaTrust.Kept;

    public byte[] Serialize() => JsonSerializer.SerializeToUtf8Bytes(
        new BrokerDocument(Id.Value, Epoch, CleanSince, DiskSince, Rack, Nonce, Host, Port), RecordJson.Default.BrokerDocument);

    /// <exception cref="InvalidDataException">The document is not a broker record.</exception>
    public static BrokerRecord Parse(ReadOnlySpan<byte> document)
    {
        var read = RecordJson.Parse(document, RecordJson.Default.BrokerDocument, "broker");
        return new(new BrokerId(read.Id), read.Epoch, read.CleanSince, read.DiskSince, read.Rack, read.Nonce, read.Host, read.Port);
    }
}

/// <summary>What is left of a replica's progress after restarts of its broker.</summary>
public enum ReplicaTrust
{
    /// <summary>Nothing: the disk is another one.</summary>
    Lost,

    /// <summary>What was flushed: the broker stopped uncleanly, with its disk.</summary>
    Recovered,

    /// <summary>Everything.</summary>
    Kept,
}
