namespace FoodDelivery;

/// <summary>One line of output for each event.</summary>
internal static class Say
{
    public static void Line(string what, string orderId, FormattableString text) =>
        Console.WriteLine($"{what,-10} {orderId,-6}  {FormattableString.Invariant(text)}");
}
