using System.Globalization;
using OrleansLog.Cli.Formats;
using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary>Where to start reading: an end, an offset (below 0: counted back from the end), or a time.</summary>
internal sealed record StartPosition(OffsetSpec? Spec, long Number = 0)
{
    public static readonly StartPosition Earliest = new(OffsetSpec.Earliest);
    public static readonly StartPosition Latest = new(OffsetSpec.Latest);

    /// <summary>Reads <c>earliest</c>, <c>latest</c>, a number or a time.</summary>
    /// <param name="option">The option it comes from, for the message.</param>
    /// <param name="text">What it says.</param>
    /// <exception cref="CommandException">It is none of them.</exception>
    public static StartPosition Parse(string option, string text) =>
        TryParseOffset(text) ?? TryParseTime(text)
        ?? throw new CommandException($"{option} takes earliest, latest, a number or a time such as 2025-06-01T12:00:00Z, not '{text}'.", ExitCode.Usage);

    /// <inheritdoc cref="Parse"/>
    public static StartPosition ParseOffset(string option, string text) =>
        TryParseOffset(text) ?? throw new CommandException($"{option} takes earliest, latest or a number, not '{text}'.", ExitCode.Usage);

    /// <inheritdoc cref="Parse"/>
    public static StartPosition ParseTime(string option, string text) =>
        TryParseTime(text) ?? throw new CommandException($"{option} takes a time such as 2025-06-01T12:00:00Z, not '{text}'.", ExitCode.Usage);

    /// <summary>The offset in each partition, within what is there.</summary>
    public async Task<IReadOnlyDictionary<TopicPartition, Offset>> ResolveAsync(
        AdminClient admin, IReadOnlyCollection<TopicPartition> partitions, OffsetRanges ranges, CancellationToken cancellationToken)
    {
        if (Spec is { Code: >= 0 } time)
        {
            var found = await admin.ListOffsetsAsync(partitions.ToDictionary(p => p, _ => time), cancellationToken);
            return partitions.ToDictionary(p => p, p => found[p].Offset == Offset.None ? ranges.Of(p).End : found[p].Offset);
        }
        return partitions.ToDictionary(p => p, p => Within(ranges.Of(p)));
    }

    private Offset Within((Offset Start, Offset End) range)
    {
        if (Spec is { } end) return end == OffsetSpec.Earliest ? range.Start : range.End;
        var wanted = Number < 0 ? range.End + Number : new Offset(Number);
        return Offset.Max(range.Start, Offset.Min(wanted, range.End));
    }

    private static StartPosition? TryParseOffset(string text) => text switch
    {
        "earliest" or "beginning" => Earliest,
        "latest" or "end" => Latest,
        _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => new(null, number),
        _ => null,
    };

    private static StartPosition? TryParseTime(string text) =>
        Moment.TryParse(text, out var time) ? new StartPosition(OffsetSpec.AtTimestamp(time)) : null;
}
