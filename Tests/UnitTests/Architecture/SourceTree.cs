using System.Xml.Linq;

namespace OrleansLog.UnitTests.Architecture;

/// <summary>The repository that these tests were built from, as it lies on disk.</summary>
internal static class SourceTree
{
    /// <summary>The folders that hold the project's work; nothing else belongs at the top.</summary>
    public static readonly string[] Folders = ["Client", "Grains", "Silo", "Tests", "infra"];

    public static DirectoryInfo Root { get; } = FindRoot();

    /// <summary>Every project by name.</summary>
    public static IReadOnlyDictionary<string, Project> Projects { get; } = Folders
        .Select(folder => new DirectoryInfo(Path.Combine(Root.FullName, folder)))
        .SelectMany(folder => folder.EnumerateFiles("*.csproj", SearchOption.AllDirectories))
        .Select(file => new Project(file))
        .ToDictionary(project => project.Name);

    /// <summary>Every C# file that people wrote.</summary>
    public static IEnumerable<FileInfo> Sources(DirectoryInfo directory) => directory
        .EnumerateFiles("*.cs", SearchOption.AllDirectories)
        .Where(file => !Relative(file).Split('/').Any(part => part is "bin" or "obj" or "node_modules"));

    public static string Relative(FileSystemInfo file) => Path.GetRelativePath(Root.FullName, file.FullName).Replace('\\', '/');

    private static DirectoryInfo FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "OrleansLog.sln")))
            directory = directory.Parent ?? throw new InvalidOperationException("The tests do not lie in the repository.");
        return directory;
    }
}

/// <summary>A project as its file describes it.</summary>
internal sealed class Project(FileInfo file)
{
    private readonly XElement _xml = XElement.Load(file.FullName);

    public string Name { get; } = Path.GetFileNameWithoutExtension(file.Name);

    public DirectoryInfo Directory => file.Directory!;

    /// <summary>Grains, Silo, Client or Tests.</summary>
    public string Folder => SourceTree.Relative(file).Split('/')[0];

    public string RootNamespace => _xml.Descendants("RootNamespace").FirstOrDefault()?.Value ?? Name;

    public IEnumerable<string> Packages => _xml.Descendants("PackageReference").Select(p => p.Attribute("Include")!.Value);

    public IEnumerable<string> References => _xml.Descendants("ProjectReference")
        .Where(r => r.Attribute("OutputItemType")?.Value != "Analyzer")
        .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/')));

    /// <summary>What it references, directly and through others, without itself.</summary>
    public ISet<string> AllReferences()
    {
        var all = new SortedSet<string>(StringComparer.Ordinal);
        var open = new Queue<string>(References);
        while (open.TryDequeue(out var next))
        {
            if (all.Add(next))
                SourceTree.Projects[next].References.ToList().ForEach(open.Enqueue);
        }
        return all;
    }

    public override string ToString() => Name;
}
