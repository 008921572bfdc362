namespace FoodDelivery;

/// <summary>What the shop sells, and what it earns by it.</summary>
internal static class Menu
{
    public static readonly IReadOnlyList<Dish> Dishes =
    [
        new("Pad Thai", Price: 11.50m, Ingredients: 4.20m),
        new("Margherita", Price: 9.00m, Ingredients: 2.60m),
        new("Lentil soup", Price: 6.50m, Ingredients: 1.40m),
        new("Bibimbap", Price: 13.00m, Ingredients: 5.10m),
        new("Falafel plate", Price: 10.00m, Ingredients: 3.30m),
    ];

    public static Dish Find(string name) => Dishes.Single(dish => dish.Name == name);

    internal sealed record Dish(string Name, decimal Price, decimal Ingredients)
    {
        public decimal Profit => Price - Ingredients;
    }
}
