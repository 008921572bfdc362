using OrleansLog.Broker;
using OrleansLog.Replication.Metadata;
using OrleansLog.Storage;

namespace OrleansLog.Hosting;

/// <summary>What the broker of a silo consists of, once the silo is about to open it.</summary>
/// <param name="Options">Its directory, address and configuration, and how it serves.</param>
/// <param name="Files">Its disk.</param>
/// <param name="Register">What the brokers agree on.</param>
/// <param name="IsAlone">Whether no other broker can agree with it.</param>
/// <param name="Owned">What is disposed after the broker was closed, in order.</param>
internal sealed record BrokerParts(
    BrokerOptions Options, ILogFileSystem Files, IMetadataRegister Register, bool IsAlone, IReadOnlyList<IDisposable> Owned);
