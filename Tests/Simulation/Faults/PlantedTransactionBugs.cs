using System.Globalization;
using System.Text;
using OrleansLog.Protocol;
using OrleansLog.Simulation.World;

namespace OrleansLog.Simulation.Faults;

/// <summary>Markers of coordinators that were deposed are taken for those of their successors.</summary>
public sealed class AcceptsDeposedCoordinators : PlantedBug;

/// <summary>Readers of committed records get everything up to the high watermark.</summary>
public sealed class ShowsOpenTransactions : PlantedBug;

/// <summary>After a restart a log knows nothing any more of the transactions that were aborted before its checkpoint.</summary>
public sealed class ForgetsAbortedTransactions : PlantedBug
{
    private const string ChecksumKey = "crc32c ";

    public override void AfterCrash(SimBroker broker)
    {
        foreach (var (path, file) in broker.Disk.FilesUnder("data/" + SimCluster.Partition).ToList())
        {
            if (!path.EndsWith(".snapshot", StringComparison.Ordinal)) continue;
            var lines = Encoding.UTF8.GetString(file.Bytes).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            var kept = string.Concat(lines.Where(line => !line.StartsWith("a ", StringComparison.Ordinal) && !line.StartsWith(ChecksumKey, StringComparison.Ordinal)).Select(line => $"{line}\n"));
            var checksum = Crc32C.Compute(Encoding.UTF8.GetBytes(kept));
            file.Truncate(0);
            file.Write(0, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{kept}{ChecksumKey}{checksum:x8}\n")));
        }
    }
}
