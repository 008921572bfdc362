using System.Globalization;
using System.Text;
using OrleansLog.Protocol;
using OrleansLog.Storage;

namespace OrleansLog.Replication.Following;

/// <summary>What a replica must still know after a restart.</summary>
/// <param name="Epoch">The highest leader epoch that it has seen: it never follows a lower one.</param>
/// <param name="UncleanEpoch">The last unclean leadership that it knows of.</param>
/// <param name="HighWatermark">A lower bound: everything below was committed when this was written.</param>
/// <param name="TopicId">Which topic of that name; null where an earlier version wrote it, which did not say.</param>
public sealed record ReplicaState(LeaderEpoch Epoch, LeaderEpoch UncleanEpoch, Offset HighWatermark, Guid? TopicId = null)
{
    public static readonly ReplicaState New = new(LeaderEpoch.None, LeaderEpoch.None, Offset.Zero);
}

/// <summary>
/// Keeps a <see cref="ReplicaState"/> beside the log: one line and its CRC-32C, replaced whole by a rename, durable when
/// <see cref="WriteAsync"/> completes. One turn at a time.
/// </summary>
/// <param name="files">The disk.</param>
/// <param name="directory">The partition's directory, which exists.</param>
public sealed class ReplicaStateFile(ILogFileSystem files, string directory)
{
    public const string FileName = "replica-state";

    private const string NextFileName = "replica-state.next";
    private const string Version = "2";
    private const string VersionWithoutTopic = "1";
    private const int BytesMax = 256;

    private bool _isNew;

    /// <summary>The state as last written; a new one if there is none.</summary>
    /// <exception cref="StorageException">The file is damaged: what the replica promised is not known any more.</exception>
    public ReplicaState Read()
    {
        if (files.List(directory).FirstOrDefault(entry => entry.Name == FileName) is not { Name: not null } entry)
        {
            _isNew = true;
            return ReplicaState.New;
        }

        var bytes = new byte[Math.Min(entry.Length, BytesMax)];
        using (var file = files.Open(PathOf(FileName), create: false)) new LogSlice(file, 0, bytes.Length).Read(bytes);
        return Parse(Encoding.ASCII.GetString(bytes)) ?? throw new StorageException(
            $"{PathOf(FileName)} is damaged. Delete the partition's directory on this broker; it is then copied from the leader.");
    }

    /// <exception cref="IOException">The disk failed; the old state or the new one is there.</exception>
    public async ValueTask WriteAsync(ReplicaState state)
    {
        using (var file = files.Open(PathOf(NextFileName), create: true))
        {
            file.Truncate(0);
            file.Write(0, Encoding.ASCII.GetBytes(Format(state)));
            await file.FlushAsync();
        }

        files.Rename(PathOf(NextFileName), PathOf(FileName));
        await files.FlushDirectoryAsync(directory);
        if (!_isNew) return;
        // The directory itself may be new: without its name the promise would be lost with it.
        await files.FlushDirectoryAsync(directory[..directory.LastIndexOf('/')]);
        _isNew = false;
    }

    private static string Format(ReplicaState state)
    {
        var numbers = string.Create(CultureInfo.InvariantCulture, $"{state.Epoch.Value} {state.UncleanEpoch.Value} {state.HighWatermark.Value}");
        var content = state.TopicId is { } topic ? $"{Version} {numbers} {topic:N}" : $"{VersionWithoutTopic} {numbers}";
        return string.Create(CultureInfo.InvariantCulture, $"{content} {ChecksumOf(content):x8}\n");
    }

    private static ReplicaState? Parse(string text)
    {
        var fields = text.TrimEnd('\n').Split(' ');
        if (fields is not ([Version, _, _, _, _, _] or [VersionWithoutTopic, _, _, _, _])) return null;
        var state = int.TryParse(fields[1], CultureInfo.InvariantCulture, out var epoch)
            && int.TryParse(fields[2], CultureInfo.InvariantCulture, out var unclean)
            && long.TryParse(fields[3], CultureInfo.InvariantCulture, out var highWatermark)
                ? new ReplicaState(new(epoch), new(unclean), new(highWatermark), Guid.TryParse(fields[4], out var topic) ? topic : null)
                : null;
        return state is not null && Format(state) == text ? state : null;
    }

    private static uint ChecksumOf(string content) => Crc32C.Compute(Encoding.ASCII.GetBytes(content));

    private string PathOf(string name) => $"{directory}/{name}";
}
