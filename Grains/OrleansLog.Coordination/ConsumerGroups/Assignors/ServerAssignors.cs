namespace OrleansLog.Coordination.ConsumerGroups.Assignors;

/// <summary>The ways of assigning that there are on this side.</summary>
public static class ServerAssignors
{
    private static readonly IServerAssignor[] Known = [new UniformServerAssignor(), new RangeServerAssignor()];

    /// <summary>The names of all of them, as <c>group.consumer.assignors</c> takes them; the default first.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Known.Select(assignor => assignor.Name)];

    internal static IServerAssignor Find(string name) => Known.First(assignor => assignor.Name == name);
}
