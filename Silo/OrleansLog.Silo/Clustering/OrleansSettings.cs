using System.Runtime.Loader;
using Orleans.Storage;
using OrleansLog.Grains.Metadata;
using OrleansLog.Replication.Metadata;
using OrleansLog.Silo.Options;

namespace OrleansLog.Silo.Clustering;

/// <summary>
/// Orleans' own providers for clustering and storage, chosen by Orleans' own configuration
/// (https://learn.microsoft.com/dotnet/orleans/host/configuration-guide/): for a cluster that has a database or a Redis, and no blob container.
/// </summary>
internal static class OrleansSettings
{
    /// <summary>The grain storage that holds the metadata register.</summary>
    private const string Metadata = "metadata";

    /// <summary>Reads the settings and makes the providers known that they name.</summary>
    /// <exception cref="StartException">They cannot be read, or do not name what is needed.</exception>
    public static void Apply(ConfigurationManager configuration, SiloOptions options)
    {
        Read(configuration, options.OrleansSettings ?? SettingSources.FileName, isOptional: options.OrleansSettings is null);
        configuration.AddEnvironmentVariables();
        foreach (var section in (string[])["Orleans:Clustering", $"Orleans:GrainStorage:{Metadata}"])
            if (configuration[$"{section}:ProviderType"] is null)
                throw new StartException(ExitCode.Usage, $"--clustering orleans needs {section}:ProviderType, in appsettings.json or the file that --orleans-settings names, or as the environment variable {section.Replace(":", "__", StringComparison.Ordinal)}__ProviderType");
        if (options.OrleansProviders is { } directory)
            Load(directory);
    }

    /// <summary>The register in the silo's grain storage.</summary>
    public static IMetadataRegister OpenRegister(IServiceProvider services) => new GrainStorageRegister(services.GetRequiredKeyedService<IGrainStorage>(Metadata));

    /// <summary>What kept a silo with such providers from starting, for the person who can mend it.</summary>
    public static StartException Explain(Exception problem) => new(
        ExitCode.Failure, $"Orleans' providers do not work as they are set: {problem.Message} (--orleans-settings names them, --orleans-providers holds their assemblies)", problem);

    private static void Read(ConfigurationManager configuration, string path, bool isOptional)
    {
        try
        {
            configuration.AddJsonFile(Path.GetFullPath(path), isOptional);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new StartException(ExitCode.Usage, $"the settings of Orleans in {path} cannot be read: {(problem.InnerException ?? problem).Message}", problem);
        }
    }

    // Orleans looks for providers among the assemblies that are loaded. What the silo brings itself is not replaced.
    private static void Load(string directory)
    {
        if (!Directory.Exists(directory))
            throw new StartException(ExitCode.Usage, $"--orleans-providers {directory} is not a directory");
        var own = ((string?)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") ?? "").Split(Path.PathSeparator).Select(Path.GetFileName).ToHashSet();
        foreach (var assembly in Directory.GetFiles(directory, "*.dll").Where(file => !own.Contains(Path.GetFileName(file))))
        {
            try
            {
                AssemblyLoadContext.Default.LoadFromAssemblyPath(Path.GetFullPath(assembly));
            }
            catch (BadImageFormatException)
            {
                // A library of the system's own kind: whoever needs it finds it by its name.
            }
        }
    }
}
