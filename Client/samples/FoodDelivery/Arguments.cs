using System.Globalization;

namespace FoodDelivery;

/// <summary>The command line.</summary>
internal sealed record Arguments(int Orders, string Bootstrap)
{
    public const string Usage = "usage: FoodDelivery [--orders N] [--bootstrap HOST:PORT]     (50 orders, 127.0.0.1:9092)";

    /// <returns>Null if it makes no sense.</returns>
    public static Arguments? Parse(string[] args)
    {
        var parsed = new Arguments(50, Environment.GetEnvironmentVariable("OLOG_BOOTSTRAP") ?? "127.0.0.1:9092");
        for (var i = 0; i < args.Length; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : "";
            if (args[i] == "--orders" && int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var orders))
                parsed = parsed with { Orders = orders };
            else if (args[i] == "--bootstrap" && value.Length > 0)
                parsed = parsed with { Bootstrap = value };
            else
                return null;
        }
        return parsed;
    }
}
