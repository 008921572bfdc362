using Orleans;
using Orleans.Runtime;

namespace OrleansLog.Membership;

/// <summary>One silo's row; what the members mean says <see cref="MembershipEntry"/>. Times are in UTC.</summary>
/// <param name="Silo">Address, port and generation, as in <c>10.0.0.4:11111@123</c>.</param>
/// <param name="Etag">The nonce of the write that changed the row last.</param>
internal sealed record MemberRow(
    string Silo, string Etag, SiloStatus Status, int ProxyPort, DateTime StartTime, DateTime IAmAliveTime,
    string? SiloName = null, string? HostName = null, SuspectRow[]? SuspectTimes = null, string? RoleName = null, int UpdateZone = 0, int FaultZone = 0)
{
    public static MemberRow From(MembershipEntry entry, string etag) => new(
        entry.SiloAddress.ToParsableString(), etag, entry.Status, entry.ProxyPort, Utc(entry.StartTime), Utc(entry.IAmAliveTime),
        entry.SiloName, entry.HostName, entry.SuspectTimes?.Select(vote => new SuspectRow(vote.Item1.ToParsableString(), Utc(vote.Item2))).ToArray(),
        entry.RoleName, entry.UpdateZone, entry.FaultZone);

    /// <summary>Orleans' times are in UTC, also where they do not say so.</summary>
    public static DateTime Utc(DateTime time) => time.Kind == DateTimeKind.Local ? time.ToUniversalTime() : DateTime.SpecifyKind(time, DateTimeKind.Utc);

    /// <param name="seenAlive">When the silo said last that it lives, if it said so since the row was written.</param>
    public MembershipEntry ToEntry(DateTime? seenAlive) => new()
    {
        SiloAddress = SiloAddress.FromParsableString(Silo),
        Status = Status,
        SiloName = SiloName!,
        HostName = HostName!,
        ProxyPort = ProxyPort,
        RoleName = RoleName,
        UpdateZone = UpdateZone,
        FaultZone = FaultZone,
        StartTime = StartTime,
        IAmAliveTime = seenAlive > IAmAliveTime ? seenAlive.Value : IAmAliveTime,
        SuspectTimes = SuspectTimes?.Select(vote => Tuple.Create(SiloAddress.FromParsableString(vote.Silo), vote.Time)).ToList(),
    };

    /// <summary>
    /// Whether nothing was heard from or about a silo since a time, and it is not at work. Votes count: a silo that was
    /// declared dead just now may have fallen silent long ago, and the others shall still learn of its end.
    /// </summary>
    public bool IsDefunct(DateTimeOffset before, DateTime? seenAlive) =>
        Status != SiloStatus.Active && Times().Append(seenAlive ?? default).Max() < before.UtcDateTime;

    /// <exception cref="FormatException">A silo's address is none.</exception>
    public void CheckAddresses()
    {
        SiloAddress.FromParsableString(Silo);
        foreach (var vote in SuspectTimes ?? []) SiloAddress.FromParsableString(vote.Silo);
    }

    private IEnumerable<DateTime> Times() => (SuspectTimes ?? []).Select(vote => vote.Time).Append(StartTime).Append(IAmAliveTime);
}

/// <summary>A vote that a silo is dead.</summary>
/// <param name="Silo">Who suspects it.</param>
/// <param name="Time">Since when.</param>
internal sealed record SuspectRow(string Silo, DateTime Time);
