using Azure.Core;
using Azure.Identity;

namespace OrleansLog.Silo;

/// <summary>The identity of this process: the environment's, the machine's managed one, or that of whoever is signed in.</summary>
internal static partial class BlobContainers
{
    // One for all containers, for it keeps its tokens.
    private static readonly Lazy<TokenCredential> Identity = new(() => new DefaultAzureCredential());

    static partial void FindIdentity(ref TokenCredential? identity) => identity = Identity.Value;
}
