using System.Globalization;
using OrleansLog.Protocol;

namespace OrleansLog.Storage;

/// <summary>One leadership: its epoch and the offset of the first record appended under it.</summary>
public readonly record struct EpochStart(LeaderEpoch Epoch, Offset StartOffset);

/// <summary>
/// Which offsets were appended under which leader epoch (KIP-101). Immutable, so that readers need no lock: the log
/// replaces the whole.
/// </summary>
internal sealed class LeaderEpochs(EpochStart[] entries)
{
    public const string FileName = "leader-epoch-checkpoint";

    public static readonly LeaderEpochs Empty = new([]);

    public ReadOnlySpan<EpochStart> Entries => entries;

    public LeaderEpoch Latest => entries.Length == 0 ? LeaderEpoch.None : entries[^1].Epoch;

    /// <summary>The epoch whose records lie at an offset; none before the first known one.</summary>
    public LeaderEpoch EpochAt(Offset offset)
    {
        var floor = Array.FindLastIndex(entries, e => e.StartOffset <= offset);
        return floor < 0 ? LeaderEpoch.None : entries[floor].Epoch;
    }

    /// <summary>The epochs of the records between two offsets, each with its first offset there.</summary>
    public IEnumerable<EpochStart> Between(Offset from, Offset to) => WithoutBefore(from).WithoutFrom(to).Entries.ToArray();

    /// <summary>Notes that an append under <paramref name="epoch"/> begins at an offset; nothing changes for the latest.</summary>
    public LeaderEpochs With(LeaderEpoch epoch, Offset startOffset) =>
        epoch <= Latest ? this : new LeaderEpochs([.. WithoutFrom(startOffset).Entries, new EpochStart(epoch, startOffset)]);

    /// <summary>What is left when the log is cut to end at <paramref name="endOffset"/>.</summary>
    public LeaderEpochs WithoutFrom(Offset endOffset) => Array.FindIndex(entries, e => e.StartOffset >= endOffset) switch
    {
        -1 => this,
        0 => Empty,
        var kept => new LeaderEpochs(entries[..kept]),
    };

    /// <summary>What is left when the log is made to start at <paramref name="startOffset"/>.</summary>
    public LeaderEpochs WithoutBefore(Offset startOffset)
    {
        var floor = Array.FindLastIndex(entries, e => e.StartOffset <= startOffset);
        if (floor < 0 || entries[floor].StartOffset == startOffset && floor == 0) return this;
        return new LeaderEpochs([entries[floor] with { StartOffset = startOffset }, .. entries[(floor + 1)..]]);
    }

    /// <summary>
    /// The largest epoch not above the asked one, and where it ends (KIP-279). An epoch older than all known ones ends
    /// where the oldest known begins; one newer than all known is unknown.
    /// </summary>
    public EpochEndOffset EndOffsetFor(LeaderEpoch epoch, Offset logEndOffset)
    {
        if (epoch == LeaderEpoch.None || epoch > Latest) return EpochEndOffset.Unknown;
        if (epoch == Latest) return new EpochEndOffset(epoch, logEndOffset);
        var higher = Array.FindIndex(entries, e => e.Epoch > epoch);
        return new EpochEndOffset(higher == 0 ? epoch : entries[higher - 1].Epoch, entries[higher].StartOffset);
    }

    /// <summary>One line per epoch: the epoch and its start offset.</summary>
    public IEnumerable<string> ToLines() =>
        entries.Select(e => string.Create(CultureInfo.InvariantCulture, $"{e.Epoch.Value} {e.StartOffset.Value}"));

    /// <summary>Null when the lines are not epochs in their order.</summary>
    public static LeaderEpochs? Parse(string[]? lines)
    {
        if (lines is null) return null;
        var epochs = Empty;
        foreach (var line in lines)
        {
            var fields = line.Split(' ');
            if (fields.Length != 2
                || !int.TryParse(fields[0], CultureInfo.InvariantCulture, out var epoch)
                || !long.TryParse(fields[1], CultureInfo.InvariantCulture, out var start)
                || epoch <= epochs.Latest.Value) return null;
            epochs = epochs.With(new LeaderEpoch(epoch), new Offset(start));
        }

        return epochs;
    }
}
