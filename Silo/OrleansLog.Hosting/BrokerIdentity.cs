using System.Globalization;
using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.Hosting;

/// <summary>Who the broker of a data directory is: what was configured, or was drawn once and is kept there.</summary>
internal static class BrokerIdentity
{
    private const string FileName = "broker-id";

    /// <summary>What was configured or is kept; null the first time that a directory is used without an id.</summary>
    /// <exception cref="BrokerIdentityException">The directory belongs to another broker than the one that was asked for.</exception>
    public static BrokerId? Find(int? configured, string dataDirectory)
    {
        var path = Path.Combine(dataDirectory, FileName);
        if (!File.Exists(path))
            return configured is { } asked ? new BrokerId(asked) : null;
        var kept = int.Parse(File.ReadAllText(path), CultureInfo.InvariantCulture);
        return configured is null || configured == kept ? new BrokerId(kept) : throw new BrokerIdentityException(configured.Value, dataDirectory, kept);
    }

    /// <summary>Writes down whose directory it is.</summary>
    public static void Keep(BrokerId id, string dataDirectory)
    {
        Directory.CreateDirectory(dataDirectory);
        File.WriteAllText(Path.Combine(dataDirectory, FileName), id.ToString());
    }

    /// <summary>Claims the lowest id that nobody has; the register lets one of several that draw at once have it.</summary>
    public static async Task<BrokerId> DrawAsync(IMetadataRegister register, CancellationToken cancellationToken)
    {
        for (var id = new BrokerId(0); ; id = new(id.Value + 1))
        {
            var claim = new BrokerRecord(id, Epoch: 0, CleanSince: 0, DiskSince: 0);
            if (await register.PutAsync(BrokerRecord.KeyOf(id), claim.Serialize(), expected: null, cancellationToken) is not null)
                return id;
        }
    }
}

/// <summary>A data directory belongs to another broker than the one that was asked for.</summary>
public sealed class BrokerIdentityException(int asked, string dataDirectory, int kept) : InvalidOperationException(
    $"Broker {asked} was asked for, but {dataDirectory} belongs to broker {kept}. Leave the id out, or choose another directory.")
{
    /// <summary>Whose directory it is.</summary>
    public int Kept => kept;
}
