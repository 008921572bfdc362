using System.Globalization;
using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.Silo.Clustering;

/// <summary>Who the broker of a data directory is: what was configured, or was drawn once and is kept there.</summary>
internal static class BrokerIdentity
{
    private const string FileName = "broker-id";

    /// <exception cref="StartException">The directory belongs to another broker than the one that was asked for.</exception>
    public static async Task<BrokerId> FindAsync(int? configured, string dataDirectory, IMetadataRegister register, CancellationToken cancellationToken)
    {
        var path = Path.Combine(dataDirectory, FileName);
        var kept = File.Exists(path) ? int.Parse(await File.ReadAllTextAsync(path, cancellationToken), CultureInfo.InvariantCulture) : (int?)null;
        if (kept is { } known)
        {
            return configured is null || configured == known
                ? new BrokerId(known)
                : throw new StartException(ExitCode.Usage, $"--broker-id is {configured}, but {dataDirectory} belongs to broker {known}; leave the option out or choose another directory");
        }
        var id = configured is { } asked ? new BrokerId(asked) : await DrawAsync(register, cancellationToken);
        Directory.CreateDirectory(dataDirectory);
        await File.WriteAllTextAsync(path, id.ToString(), cancellationToken);
        return id;
    }

    // The lowest that nobody has; the register lets one of several that draw at once have it.
    private static async Task<BrokerId> DrawAsync(IMetadataRegister register, CancellationToken cancellationToken)
    {
        for (var id = new BrokerId(0); ; id = new(id.Value + 1))
        {
            var claim = new BrokerRecord(id, Epoch: 0, CleanSince: 0, DiskSince: 0);
            if (await register.PutAsync(BrokerRecord.KeyOf(id), claim.Serialize(), expected: null, cancellationToken) is not null)
                return id;
        }
    }
}
