using System.Text.RegularExpressions;

namespace OrleansLog.UnitTests.Architecture;

/// <summary>What the tree promises to a reader: few folders, files of readable size, namespaces where their folders say.</summary>
public sealed partial class LayoutTests
{
    private const int LinesMax = 600;

    /// <summary>Files above <see cref="LinesMax"/> lines, each with the reason why it is one file.</summary>
    private static readonly Dictionary<string, string> LongFiles = [];

    /// <summary>Namespaces from outside, each with the reason why a file here declares it.</summary>
    private static readonly Dictionary<string, string> BorrowedNamespaces = new()
    {
        ["Microsoft.Extensions.DependencyInjection"] = "where .NET's users find the Add... methods without a using directive",
        ["Orleans.Hosting"] = "where Orleans' users find them",
    };

    [Fact]
    public void The_top_holds_the_named_folders_and_no_others()
    {
        // What builds and editors leave there is not the project's.
        string[] leftBehind = ["artifacts", "bin", "obj", "data", "node_modules", "TestResults"];
        var found = SourceTree.Root.EnumerateDirectories().Select(d => d.Name).Where(n => n[0] != '.').Except(leftBehind);
        Assert.Equal(SourceTree.Folders, found.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_file_can_be_read_in_one_sitting() => Assert.All(
        SourceTree.Sources(SourceTree.Root).Where(f => !LongFiles.ContainsKey(SourceTree.Relative(f))),
        file => Assert.True(
            File.ReadLines(file.FullName).Count() <= LinesMax,
            $"{SourceTree.Relative(file)} has more than {LinesMax} lines: split it, or list it here with the reason"));

    [Fact]
    public void A_file_listed_as_long_is_there_and_is_long() => Assert.All(
        LongFiles.Keys, path => Assert.True(File.ReadLines(Path.Combine(SourceTree.Root.FullName, path)).Count() > LinesMax, path));

    [Fact]
    public void A_namespace_is_its_project_and_folder() => Assert.All(
        SourceTree.Projects.Values.SelectMany(project => SourceTree.Sources(project.Directory).Select(file => (project, file))),
        pair =>
        {
            var declared = Namespace().Match(File.ReadAllText(pair.file.FullName));
            if (declared.Success && !BorrowedNamespaces.ContainsKey(declared.Groups[1].Value))
                Assert.True(Allowed(pair.project, pair.file).Contains(declared.Groups[1].Value), $"{SourceTree.Relative(pair.file)} declares {declared.Groups[1].Value}");
        });

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var solution = File.ReadAllText(Path.Combine(SourceTree.Root.FullName, "OrleansLog.sln"));
        // What stands in for a package is built where it is needed alone.
        Assert.All(SourceTree.Projects.Values.Where(p => p.Folder != "infra").Select(p => p.Name), name => Assert.Contains($"{name}.csproj", solution, StringComparison.Ordinal));
    }

    [Fact]
    public void Only_the_layers_of_Orleans_speak_of_grains() => Assert.All(
        SourceTree.Projects.Values.Where(p => p.Name is "OrleansLog.Protocol" or "OrleansLog.Storage" or "OrleansLog.Replication" or "OrleansLog.Coordination" or "OrleansLog.Client" or "OrleansLog.Kafka" or "OrleansLog.Broker"),
        project => Assert.All(
            SourceTree.Sources(project.Directory),
            file => Assert.False(OrleansWords().IsMatch(File.ReadAllText(file.FullName)), $"{SourceTree.Relative(file)} names a type after a grain or silo")));

    [Fact]
    public void No_type_hides_behind_an_empty_name() => Assert.All(
        SourceTree.Sources(SourceTree.Root),
        file => Assert.False(
            Path.GetFileNameWithoutExtension(file.Name) is var name && EmptyNames().IsMatch(name), $"{SourceTree.Relative(file)}: name it after what it does"));

    [Fact]
    public void Nothing_is_left_for_later() => Assert.All(
        SourceTree.Sources(SourceTree.Root).Where(f => f.Name != "LayoutTests.cs"),
        file => Assert.False(LeftForLater().IsMatch(File.ReadAllText(file.FullName)), SourceTree.Relative(file)));

    /// <summary>
    /// The project's namespace, or that with any prefix of the folders: a folder may sort files without being a name.
    /// </summary>
    private static IEnumerable<string> Allowed(Project project, FileInfo file)
    {
        // Where every .NET application looks for what it can add to its services.
        if (file.Name == "ServiceCollectionExtensions.cs")
            yield return "Microsoft.Extensions.DependencyInjection";
        var name = project.RootNamespace;
        yield return name;
        foreach (var folder in Path.GetRelativePath(project.Directory.FullName, file.DirectoryName!).Split(Path.DirectorySeparatorChar))
        {
            if (folder == ".")
                yield break;
            name = $"{name}.{folder}";
            yield return name;
        }
    }

    [GeneratedRegex(@"^namespace ([\w.]+)", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"\b(class|record|struct|interface|enum) \w*(Grain|Silo)\w*")]
    private static partial Regex OrleansWords();

    [GeneratedRegex("(Manager|Helper|Helpers|Utils|Utilities|Util|Common|Misc)$")]
    private static partial Regex EmptyNames();

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|NotImplementedException|Thread\.Sleep)\b")]
    private static partial Regex LeftForLater();
}
