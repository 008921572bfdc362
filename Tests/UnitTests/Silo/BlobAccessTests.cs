using System.Collections;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using Azure.Storage.Sas;
using OrleansLog.Blobs;
using OrleansLog.Silo;
using OrleansLog.Silo.Options;
using OrleansLog.UnitTests.Metadata;

namespace OrleansLog.UnitTests.Silo;

/// <summary>How a broker gets at its blob container, and what it is told when it does not.</summary>
public sealed class BlobAccessTests(Azurite azurite) : IClassFixture<Azurite>
{
    private const BlobContainerSasPermissions All = BlobContainerSasPermissions.Read | BlobContainerSasPermissions.Add | BlobContainerSasPermissions.Create
        | BlobContainerSasPermissions.Write | BlobContainerSasPermissions.Delete | BlobContainerSasPermissions.List;

    private readonly string _name = $"t{Guid.NewGuid():n}";

    [Fact]
    public async Task A_SAS_of_the_container_alone_will_do()
    {
        await ContainerByKey().CreateAsync();
        await UseAsync(new() { BlobEndpoint = SasUri(All) });
    }

    [Fact]
    public async Task A_key_makes_the_container_where_it_is_missing() =>
        await UseAsync(new() { BlobConnection = azurite.ConnectionString, BlobContainer = _name });

    [Fact]
    public async Task A_SAS_that_may_only_read_is_refused_at_once_with_what_it_needs()
    {
        await ContainerByKey().CreateAsync();
        var uri = SasUri(BlobContainerSasPermissions.Read | BlobContainerSasPermissions.List);
        Assert.Contains("racwdl", await RefusalAsync(new() { BlobEndpoint = uri }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_SAS_that_has_expired_is_said_to_be()
    {
        await ContainerByKey().CreateAsync();
        var uri = SasUri(All, DateTimeOffset.UtcNow.AddHours(-1));
        Assert.Contains("has expired", await RefusalAsync(new() { BlobEndpoint = uri }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_key_is_said_to_be()
    {
        var wrong = Convert.ToBase64String(new byte[64]);
        var connection = $"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={wrong};BlobEndpoint={azurite.Endpoint};";
        var refusal = await RefusalAsync(new() { BlobConnection = connection, BlobContainer = _name });
        Assert.Contains("The key is", refusal, StringComparison.Ordinal);
        Assert.DoesNotContain(wrong, refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_container_that_is_missing_and_may_not_be_made_is_said_to_be_missing() =>
        Assert.Contains("which is not there", await RefusalAsync(new() { BlobEndpoint = SasUri(All) }), StringComparison.Ordinal);

    [Theory]
    [InlineData("https://x.blob.core.windows.net", "DefaultEndpointsProtocol=https", "not by both")]
    [InlineData("http://x.blob.core.windows.net", null, "https")]
    [InlineData(null, "a secret that is no connection string", "not one")]
    [InlineData(null, null, "OLOG_BLOB_ENDPOINT")]
    public void Settings_that_name_no_storage_are_refused_without_showing_them(string? endpoint, string? connection, string says)
    {
        var refused = Assert.Throws<StartException>(object? () => BlobContainers.Open(new() { BlobEndpoint = endpoint, BlobConnection = connection }, new(), () => null));
        Assert.Equal(ExitCode.Usage, refused.ExitCode);
        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_address_that_is_none_is_not_shown_for_it_may_hold_a_secret()
    {
        var source = SettingSources.FromEnvironment(new Hashtable { ["OLOG_BLOB_ENDPOINT"] = "sig=secret" });
        var refused = Assert.Throws<StartException>(object? () => OptionsReader.Read(source));
        Assert.DoesNotContain("secret", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_identity_is_used_where_neither_key_nor_SAS_is_given()
    {
        Assert.SkipUnless(azurite.Process is not null, "Azurite is not installed");
        var folder = Directory.CreateTempSubdirectory("olog-blobs-");
        try
        {
            await using var secure = new Azurite { Arguments = ["--oauth", "basic", .. CertificateIn(folder.FullName)] };
            await secure.InitializeAsync();
            var identity = new OwnIdentity();
            using var trusting = new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator };
            var options = new SiloOptions { BlobEndpoint = secure.Endpoint.Replace("http://", "https://", StringComparison.Ordinal), BlobContainer = _name };
            await UseAsync(options, client =>
            {
                client.Transport = new HttpClientTransport(trusting);
                return BlobContainers.Open(options, client, () => identity);
            });
            Assert.NotEqual(0, identity.Asked);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private BlobContainerClient ContainerByKey() => new(azurite.ConnectionString, _name);

    private string SasUri(BlobContainerSasPermissions permissions, DateTimeOffset? until = null) =>
        ContainerByKey().GenerateSasUri(permissions, until ?? DateTimeOffset.UtcNow.AddHours(1)).ToString();

    private static Task UseAsync(SiloOptions options) => UseAsync(options, client => BlobContainers.Open(options, client));

    private static async Task UseAsync(SiloOptions options, Func<BlobClientOptions, BlobContainerClient> connect)
    {
        var store = await BlobRemoteStore.OpenAsync(connect);
        var tag = await store.WriteDocumentAsync("a/0/manifest.json", new byte[] { 1 }, expectedTag: null, default);
        Assert.NotNull(await store.WriteDocumentAsync("a/0/manifest.json", new byte[] { 2 }, tag, default));
        Assert.Equal([2], (await store.ReadDocumentAsync("a/0/manifest.json", default))!.Value.Content.ToArray());
        var names = new List<string>();
        await foreach (var each in store.ListAsync("", default)) names.Add(each.Name);
        Assert.Equal(["a/0/manifest.json"], names);
        await store.DeleteAsync("a/0/manifest.json", default);

        var register = await BlobMetadataRegister.OpenAsync(connect);
        Assert.NotNull(await register.PutAsync("topics/t", new byte[] { 1 }, expected: null, default));
    }

    // What the process would say as it ends.
    private async Task<string> RefusalAsync(SiloOptions options)
    {
        var refused = await Assert.ThrowsAsync<BlobStorageException>(() => BlobRemoteStore.OpenAsync(client => BlobContainers.Open(options, client)));
        var told = KafkaEndpoints.Explain(refused, options);
        Assert.Equal(ExitCode.StoreNotUsable, told.ExitCode);
        Assert.Contains(_name, told.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("sig=", told.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("data directory", told.Message, StringComparison.Ordinal);
        return told.Message;
    }

    private static string[] CertificateIn(string folder)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var (certificatePath, keyPath) = (Path.Combine(folder, "certificate.pem"), Path.Combine(folder, "key.pem"));
        File.WriteAllText(certificatePath, certificate.ExportCertificatePem());
        File.WriteAllText(keyPath, key.ExportPkcs8PrivateKeyPem());
        return ["--cert", certificatePath, "--key", keyPath];
    }

    /// <summary>A token that says what Azurite asks of one; it does not look at who signed it.</summary>
    private sealed class OwnIdentity : TokenCredential
    {
        public int Asked { get; private set; }

        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken)
        {
            Asked++;
            var now = DateTimeOffset.UtcNow;
            var payload = $$"""
                {"aud":"https://storage.azure.com","iss":"https://sts.windows.net/{{Guid.NewGuid()}}/","iat":{{now.ToUnixTimeSeconds() - 60}},"nbf":{{now.ToUnixTimeSeconds() - 60}},"exp":{{now.ToUnixTimeSeconds() + 3600}},"ver":"1.0"}
                """;
            return new AccessToken($"{Part("""{"alg":"none","typ":"JWT"}""")}.{Part(payload)}.{Part("unsigned")}", now.AddHours(1));
        }

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            new(GetToken(requestContext, cancellationToken));

        private static string Part(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
    }
}
