using OrleansLog.Broker.Files;
using OrleansLog.Storage;

namespace OrleansLog.UnitTests.Broker;

public sealed class DirectoryLockTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("orleanslog-lock-");
    private readonly PhysicalFileSystem _files = new();

    public void Dispose()
    {
        _files.Dispose();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public void A_directory_has_one_owner_whose_name_the_next_one_is_told()
    {
        using var owned = _files.Lock(_directory.FullName, "process 7 on here");

        var failure = Assert.Throws<DirectoryInUseException>(() => _files.Lock(_directory.FullName, "process 8 on here"));

        Assert.Contains($"{_directory.FullName} is in use by process 7 on here.", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_that_was_let_go_of_can_be_taken()
    {
        _files.Lock(_directory.FullName, "first").Dispose();

        _files.Lock(_directory.FullName, "second").Dispose();
    }
}
