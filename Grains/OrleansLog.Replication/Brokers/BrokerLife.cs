using System.Globalization;
using System.Text;
using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;
using OrleansLog.Storage;

namespace OrleansLog.Replication.Brokers;

/// <summary>
/// One start of a broker, from its registration to its stop. It finds out whether the last stop was clean and whether
/// the disk is the same, and draws a new broker epoch, before anything else happens in the data directory. The directory
/// is locked by the caller.
/// </summary>
public sealed class BrokerLife
{
    private const string IdentityFileName = "broker-identity";
    private const string CleanStopFileName = "clean-shutdown";

    private readonly ILogFileSystem _files;
    private readonly string _directory;

    private BrokerLife(ILogFileSystem files, string directory, BrokerRecord record)
    {
        _files = files;
        _directory = directory;
        Record = record;
    }

    /// <summary>The broker as it is in this life.</summary>
    public BrokerRecord Record { get; }

    /// <summary>Registers the start of a broker.</summary>
    /// <param name="id">The broker.</param>
    /// <param name="files">Its disk.</param>
    /// <param name="directory">Its data directory, which exists.</param>
    /// <param name="register">Where the brokers are registered; tried until it answers.</param>
    /// <param name="nonce">A name that nobody draws twice.</param>
    /// <param name="time">Waits between attempts.</param>
    /// <param name="address">Where clients reach it, and its rack.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="clusterId">The cluster that the directory must belong to; empty to leave that open.</param>
    /// <exception cref="StorageException">The directory belongs to another broker or cluster, or cannot be used.</exception>
    public static async Task<BrokerLife> BeginAsync(
        BrokerId id, ILogFileSystem files, string directory, IMetadataRegister register, string nonce, TimeProvider time, BrokerAddress address,
        CancellationToken cancellationToken, string clusterId = "")
    {
        var cleanStopOf = await TakeCleanStopAsync(files, directory);
        var identity = clusterId.Length == 0 ? id.ToString() : $"{id} of cluster {clusterId}";
        var diskIsNew = !CheckIdentity(files, directory, identity);
        var record = await RegisterAsync(
            register, id, previous => BrokerRecord.Next(id, previous, cleanStopOf, diskIsNew, address.Rack) with { Nonce = nonce, Host = address.Host ?? "", Port = address.Port }, time, cancellationToken);
        if (diskIsNew) await WriteAsync(files, directory, IdentityFileName, identity);
        return new(files, directory, record);
    }

    /// <summary>Notes that everything was closed and flushed. The last thing a broker does in its directory.</summary>
    public ValueTask EndCleanlyAsync() =>
        WriteAsync(_files, _directory, CleanStopFileName, Record.Epoch.ToString(CultureInfo.InvariantCulture));

    // The marker goes before anything is written: a crash right after must not find it.
    private static async ValueTask<long?> TakeCleanStopAsync(ILogFileSystem files, string directory)
    {
        var text = Read(files, directory, CleanStopFileName);
        if (text is null) return null;
        files.Delete($"{directory}/{CleanStopFileName}");
        await files.FlushDirectoryAsync(directory);
        return long.TryParse(text, CultureInfo.InvariantCulture, out var epoch) ? epoch : null;
    }

    private static bool CheckIdentity(ILogFileSystem files, string directory, string identity)
    {
        var text = Read(files, directory, IdentityFileName);
        if (text is null) return false;
        if (text == identity) return true;
        throw new StorageException($"{directory} belongs to broker {text}, not to broker {identity}: start that one on it, or choose another directory.");
    }

    private static async Task<BrokerRecord> RegisterAsync(
        IMetadataRegister register, BrokerId id, Func<BrokerRecord?, BrokerRecord> next, TimeProvider time, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                var entry = await register.GetAsync(BrokerRecord.KeyOf(id), cancellationToken);
                var previous = entry is null ? null : BrokerRecord.Parse(entry.Document.Span);
                var record = next(previous);
                if (previous?.Nonce == record.Nonce) return previous;
                if (await register.PutAsync(BrokerRecord.KeyOf(id), record.Serialize(), entry?.Version, cancellationToken) is not null) return record;
            }
            catch (IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), time, cancellationToken);
            }
        }
    }

    private static string? Read(ILogFileSystem files, string directory, string name)
    {
        if (files.List(directory).FirstOrDefault(entry => entry.Name == name) is not { Name: not null } found) return null;
        var bytes = new byte[Math.Min(found.Length, 256)];
        using (var file = files.Open($"{directory}/{name}", create: false)) new LogSlice(file, 0, bytes.Length).Read(bytes);
        return Encoding.ASCII.GetString(bytes);
    }

    // Whole or not at all: an identity that a crash has cut short would be nobody's.
    private static async ValueTask WriteAsync(ILogFileSystem files, string directory, string name, string text)
    {
        var next = $"{directory}/{name}.next";
        using (var file = files.Open(next, create: true))
        {
            file.Truncate(0);
            file.Write(0, Encoding.ASCII.GetBytes(text));
            await file.FlushAsync();
        }

        files.Rename(next, $"{directory}/{name}");
        await files.FlushDirectoryAsync(directory);
    }
}
