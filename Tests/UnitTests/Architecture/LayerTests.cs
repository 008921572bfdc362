namespace OrleansLog.UnitTests.Architecture;

/// <summary>The arrows between the projects (README, "Layout"): who may know whom, counted through others.</summary>
public sealed class LayerTests
{
    private const string Protocol = "OrleansLog.Protocol";
    private const string Compression = "OrleansLog.Compression";
    private const string Storage = "OrleansLog.Storage";
    private const string Replication = "OrleansLog.Replication";
    private const string Coordination = "OrleansLog.Coordination";
    private const string Broker = "OrleansLog.Broker";
    private const string Blobs = "OrleansLog.Blobs";
    private const string Kafka = "OrleansLog.Kafka";
    private const string Client = "OrleansLog.Client";
    private const string Grains = "OrleansLog.Grains";
    private const string Membership = "OrleansLog.Membership";
    private const string Hosting = "OrleansLog.Hosting";
    private const string Silo = "OrleansLog.Silo";

    /// <summary>In the place of a package that some feeds lack.</summary>
    private const string StandIn = "System.IO.Hashing";

    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        [Protocol] = [],
        [Compression] = [Protocol],
        [Storage] = [Protocol],
        [Replication] = [Protocol, Storage],
        [Coordination] = [Protocol],
        [Broker] = [Protocol, Compression, Storage, Replication, Coordination],
        [Blobs] = [Protocol, Storage, Replication, StandIn],
        [Kafka] = [Protocol, Compression, Storage, Replication, Coordination, Broker],
        [Grains] = [Protocol, Storage, Replication],
        [Membership] = [StandIn],
        [Hosting] = [Protocol, Compression, Storage, Replication, Coordination, Broker, Kafka, Blobs, Grains, StandIn],
        [Silo] = [Protocol, Compression, Storage, Replication, Coordination, Broker, Kafka, Blobs, Grains, Membership, Hosting, StandIn],
        [Client] = [Protocol, Compression],
        ["OrleansLog.Client.Orleans"] = [Protocol, Compression, Client, Storage, Replication, Grains],
        ["OrleansLog.Cli"] = [Protocol, Compression, Client],
    };

    /// <summary>Which packages a library may bring to those who use it, beyond what is listed here none.</summary>
    private static readonly Dictionary<string, string[]> AllowedPackages = new()
    {
        [Protocol] = [],
        [Compression] = [],
        [Storage] = ["Microsoft.Extensions.Logging.Abstractions"],
        [Replication] = ["Microsoft.Extensions.Logging.Abstractions"],
        [Coordination] = ["Microsoft.Extensions.Logging.Abstractions"],
    };

    /// <summary>The layers that are there for Orleans, whether or not they are written yet.</summary>
    private static readonly string[] OfOrleans = [Grains, Membership, Hosting, Silo, "OrleansLog.Client.Orleans"];

    public static TheoryData<string> Products => [.. SourceTree.Projects.Values.Where(p => p.Folder is not ("Tests" or "infra") && IsLayer(p)).Select(p => p.Name)];

    [Theory]
    [MemberData(nameof(Products))]
    public void A_project_knows_only_the_layers_below_it(string name)
    {
        Assert.True(Allowed.ContainsKey(name), $"{name} is new: say here which projects it may know, and why in the README");
        Assert.Empty(SourceTree.Projects[name].AllReferences().Except(Allowed[name]));
    }

    [Fact]
    public void Every_layer_named_here_exists() => Assert.Empty(Allowed.Keys.Except(SourceTree.Projects.Keys));

    public static TheoryData<string> ProductsWithoutOrleans => [.. Products.Select(product => product.Data).Except(OfOrleans)];

    [Theory]
    [MemberData(nameof(ProductsWithoutOrleans))]
    public void Nothing_in_the_core_or_the_client_knows_Orleans(string name)
    {
        var project = SourceTree.Projects[name];
        var all = project.AllReferences().Select(r => SourceTree.Projects[r]).Append(project);
        Assert.DoesNotContain(all.SelectMany(p => p.Packages), p => p.StartsWith("Microsoft.Orleans", StringComparison.Ordinal));
    }

    [Fact]
    public void The_core_brings_no_packages_but_the_few_that_are_meant() => Assert.All(
        AllowedPackages, layer => Assert.Empty(SourceTree.Projects[layer.Key].Packages.Except(layer.Value)));

    [Fact]
    public void Products_do_not_know_their_tests() => Assert.All(
        SourceTree.Projects.Values.Where(p => p.Folder != "Tests"),
        p => Assert.DoesNotContain(p.AllReferences(), r => SourceTree.Projects[r].Folder == "Tests"));

    /// <summary>Samples are users of the client, not layers.</summary>
    private static bool IsLayer(Project project) => !SourceTree.Relative(project.Directory).Contains("samples", StringComparison.Ordinal);
}
