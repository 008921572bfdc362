using OrleansLog.Broker.Files;
using OrleansLog.Broker.Metadata;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.UnitTests.Metadata;

/// <summary>The register of an embedded cluster: one per directory, shared by its brokers.</summary>
public sealed class FileMetadataRegisterTests : RegisterContract, IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("orleanslog-register-");
    private FileMetadataRegister? _register;

    public void Dispose()
    {
        _register?.Dispose();
        _directory.Delete(recursive: true);
    }

    protected override Task<IMetadataRegister> OpenAsync() => Task.FromResult<IMetadataRegister>(_register ??= Open());

    [Fact]
    public async Task Documents_outlive_the_process()
    {
        var register = await OpenAsync();
        await register.PutAsync("topics/orders", Bytes("one"), expected: null, default);
        await register.PutAsync("cluster", Bytes("two"), expected: null, default);
        using var again = Open();
        Assert.Equal(["cluster", "topics/orders"], await again.ListAsync("", default));
        Assert.Equal("one", (await ReadAsync(again, "topics/orders")).Text);
    }

    private FileMetadataRegister Open() => FileMetadataRegister.Open(new PhysicalFileSystem(), Path.Combine(_directory.FullName, "metadata"));
}
