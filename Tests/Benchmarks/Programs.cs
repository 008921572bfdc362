using System.CommandLine;

namespace OrleansLog.Benchmarks;

/// <summary>The programs that not every build has.</summary>
internal static partial class Programs
{
    public static RootCommand AddWhatThereIs(RootCommand root)
    {
        AddOrleans(root);
        return root;
    }

    /// <summary>Written only where the Orleans packages were there to build with.</summary>
    static partial void AddOrleans(RootCommand root);
}
