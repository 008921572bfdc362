using System.Globalization;

namespace OrleansLog.Simulation;

/// <summary>Which seeds to run, as the environment says.</summary>
internal static class Seeds
{
    public static ulong First => Number("ORLEANSLOG_SEED") ?? Number("ORLEANSLOG_FIRST_SEED") ?? 1;

    public static ulong Count(ulong otherwise) => Number("ORLEANSLOG_SEED") is not null ? 1 : Number("ORLEANSLOG_SEEDS") ?? otherwise;

    private static ulong? Number(string variable) =>
        ulong.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : null;
}
