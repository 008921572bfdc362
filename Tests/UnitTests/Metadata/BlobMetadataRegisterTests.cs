using System.Globalization;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using OrleansLog.Blobs;
using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.UnitTests.Metadata;

/// <summary>The register on Azure Blob Storage, against Azurite: each test in a container of its own.</summary>
public sealed class BlobMetadataRegisterTests(Azurite azurite) : RegisterContract, IClassFixture<Azurite>, IDisposable
{
    private const int PageSize = 2;

    private readonly LossyHandler _way = new();
    private readonly string _container = $"t{Guid.NewGuid():n}";

    public void Dispose() => _way.Dispose();

    protected override async Task<IMetadataRegister> OpenAsync() => await OpenAsync(new BlobRegisterOptions { ReadRetriesMax = 0 });

    [Fact]
    public async Task A_write_whose_answer_is_lost_is_reported_as_unknown_and_never_repeated()
    {
        var register = await OpenAsync();
        _way.Unanswered[HttpMethod.Put] = 1;
        await Assert.ThrowsAsync<BlobStorageException>(async () => await register.PutAsync("a", Bytes("one"), expected: null, default));
        Assert.Single(Puts());
        Assert.Equal("one", (await ReadAsync(register, "a")).Text);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(0, 1)]
    [InlineData(2, 2)]
    public async Task A_partition_is_changed_once_though_writes_and_answers_are_lost(int lost, int unanswered)
    {
        var register = await OpenAsync();
        (_way.Lost[HttpMethod.Put], _way.Unanswered[HttpMethod.Put]) = (lost, unanswered);
        var change = await Writer(register, "a").ChangeAsync(new TopicPartition("orders", 0), Record(), expected: null, default);
        Assert.True(change.IsAccepted);
        Assert.Equal(("a1", 1), (change.Current!.Record.Nonce, (int)change.Current.Record.PartitionEpoch));
        Assert.Equal(change.Current.Version, (await register.GetAsync("partitions/orders-0", default))!.Version);
    }

    [Fact]
    public async Task A_deletion_whose_answer_is_lost_is_reported_as_unknown()
    {
        var register = await OpenAsync();
        var version = (await register.PutAsync("a", Bytes("one"), expected: null, default))!.Value;
        _way.Unanswered[HttpMethod.Delete] = 1;
        await Assert.ThrowsAsync<BlobStorageException>(async () => await register.DeleteAsync("a", version, default));
        Assert.Null(await register.GetAsync("a", default));
    }

    [Fact]
    public async Task A_service_that_is_too_busy_has_not_refused_the_version()
    {
        var register = await OpenAsync();
        _way.Busy[HttpMethod.Put] = 1;
        await Assert.ThrowsAsync<BlobStorageException>(async () => await register.PutAsync("a", Bytes("one"), expected: null, default));
        Assert.NotNull(await register.PutAsync("a", Bytes("one"), expected: null, default));
    }

    [Fact]
    public async Task Reads_that_get_no_answer_fail_and_find_nothing_missing()
    {
        var register = await OpenAsync();
        await register.PutAsync("a", Bytes("one"), expected: null, default);
        _way.Lost[HttpMethod.Get] = 2;
        await Assert.ThrowsAsync<BlobStorageException>(async () => await register.GetAsync("a", default));
        await Assert.ThrowsAsync<BlobStorageException>(async () => await register.ListAsync("", default));
        Assert.Equal(["a"], await register.ListAsync("", default));
    }

    [Fact]
    public async Task A_container_that_is_gone_is_no_empty_register()
    {
        var register = await OpenAsync();
        await new BlobContainerClient(azurite.ConnectionString, _container).DeleteAsync();
        await Assert.ThrowsAsync<BlobStorageException>(async () => await register.GetAsync("a", default));
        await Assert.ThrowsAsync<BlobStorageException>(async () => await register.ListAsync("", default));
        await Assert.ThrowsAsync<BlobStorageException>(async () => await register.PutAsync("a", Bytes("one"), expected: null, default));
    }

    [Fact]
    public async Task A_listing_goes_on_page_by_page()
    {
        var register = await OpenAsync();
        for (var i = 0; i < 5; i++) await register.PutAsync(string.Create(CultureInfo.InvariantCulture, $"k/{i}"), Bytes("x"), expected: null, default);
        Assert.Equal(["k/0", "k/1", "k/2", "k/3", "k/4"], await register.ListAsync("k/", default));
        Assert.Equal(3, _way.Sent.Count(request => request.Contains("comp=list", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Giving_up_is_no_failure_of_the_register()
    {
        var register = await OpenAsync();
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await register.GetAsync("a", stop.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await register.PutAsync("a", Bytes("one"), expected: null, stop.Token));
    }

    [Fact]
    public async Task A_version_of_another_kind_of_register_is_misuse()
    {
        var register = await OpenAsync();
        await Assert.ThrowsAsync<ArgumentException>(async () => await register.PutAsync("a", Bytes("one"), new RegisterVersion(1), default));
    }

    [Fact]
    public async Task A_service_that_cannot_be_reached_is_said_to_be()
    {
        _way.Lost[HttpMethod.Put] = 1;
        var failure = await Assert.ThrowsAsync<BlobStorageException>(OpenAsync);
        Assert.Contains($"make container '{_container}'", failure.Message, StringComparison.Ordinal);
    }

    private Task<BlobMetadataRegister> OpenAsync(BlobRegisterOptions options)
    {
        var connection = azurite.ConnectionString;
        return BlobMetadataRegister.OpenAsync(Connect, options with { ListPageSize = PageSize });

        BlobContainerClient Connect(BlobClientOptions client)
        {
            client.Transport = new HttpClientTransport(_way);
            return new BlobContainerClient(connection, _container, client);
        }
    }

    private IEnumerable<string> Puts() => _way.Sent.Where(request => request.StartsWith("PUT", StringComparison.Ordinal) && !request.Contains("restype=container", StringComparison.Ordinal));
}
