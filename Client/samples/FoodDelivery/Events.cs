using System.Text.Json.Serialization;
using OrleansLog.Client;

namespace FoodDelivery;

/// <summary>Somebody wants something to eat. Written to the topic <c>orders</c> under its <see cref="Id"/>.</summary>
internal sealed record Order(string Id, string Dish, int Portions, string Address);

/// <summary>How the payment of an order went. Written to the topic <c>payments</c> under the id of the order.</summary>
internal sealed record Payment(string OrderId, string Dish, int Portions, decimal Amount, bool IsAccepted);

/// <summary>
/// The two topics. Orders and their payments have the same key and as many partitions, so an order and its payment lie
/// in partitions of the same number, which the range assignor gives to the same member of a group.
/// </summary>
internal static class Topics
{
    public const string Orders = "orders";
    public const string Payments = "payments";
    public const int PartitionCount = 3;

    public static ISerde<Order> OrderJson { get; } = Serdes.Json(ShopJson.Default.Order);

    public static ISerde<Payment> PaymentJson { get; } = Serdes.Json(ShopJson.Default.Payment);
}

/// <summary>JSON without reflection: the compiler writes the code for these types.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Order))]
[JsonSerializable(typeof(Payment))]
[JsonSerializable(typeof(Takings))]
internal sealed partial class ShopJson : JsonSerializerContext;
