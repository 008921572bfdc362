using Orleans;
using Orleans.Runtime;
using OrleansLog.Membership;
using OrleansLog.UnitTests.Metadata;

namespace OrleansLog.ClusterTests.Membership;

/// <summary>The table when requests, answers or the container are lost.</summary>
public sealed class BlobMembershipFaultTests(Azurite azurite) : MembershipTests(azurite)
{
    [Fact]
    public async Task A_row_is_inserted_though_the_answer_is_lost()
    {
        var way = NewWay();
        // Reads may be repeated, and this write all the same is not.
        var table = await OpenAsync(way, readRetriesMax: 1);
        var version = (await table.ReadAll()).Version.Next();
        way.Unanswered[HttpMethod.Put] = 1;
        Assert.True(await table.InsertRow(Silo(1), version));
        Assert.Single(Puts(way));
        Assert.Equal((1, 1), Extent(await table.ReadAll()));
    }

    [Fact]
    public async Task A_writer_goes_on_from_a_write_whose_answer_was_lost()
    {
        var way = NewWay();
        var table = await OpenAsync(way);
        await InsertAsync(table, Silo(1, SiloStatus.Joining));
        way.Unanswered[HttpMethod.Put] = 1;
        Assert.True(await TryUpdateAsync(table, Silo(1)));
        Assert.True(await TryUpdateAsync(table, Silo(1, SiloStatus.ShuttingDown)));
        Assert.Equal((1, 3), Extent(await (await OpenAsync()).ReadAll()));
    }

    [Fact]
    public async Task A_write_whose_answer_was_lost_is_found_under_the_writes_of_others()
    {
        var (way, other) = (NewWay(), await OpenAsync());
        var table = await OpenAsync(way);
        var version = (await table.ReadAll()).Version.Next();
        way.Unanswered[HttpMethod.Put] = 1;
        way.Meanwhile = () => InsertAsync(other, Silo(2));
        Assert.True(await table.InsertRow(Silo(1), version));
        Assert.Equal((2, 2), Extent(await table.ReadAll()));
    }

    [Fact]
    public async Task A_write_that_was_lost_while_another_came_first_is_refused()
    {
        var (way, other) = (NewWay(), await OpenAsync());
        var table = await OpenAsync(way);
        var version = (await table.ReadAll()).Version.Next();
        way.Lost[HttpMethod.Put] = 1;
        way.Meanwhile = () => InsertAsync(other, Silo(2));
        Assert.False(await table.InsertRow(Silo(1), version));
        Assert.Equal((1, 1), Extent(await table.ReadAll()));
    }

    [Fact]
    public async Task A_cleanup_starts_again_where_another_write_came_first()
    {
        var (way, other) = (NewWay(), await OpenAsync());
        var table = await OpenAsync(way);
        await InsertAsync(table, Silo(1, SiloStatus.Dead));
        way.Lost[HttpMethod.Put] = 1;
        way.Meanwhile = () => InsertAsync(other, Silo(2));
        await table.CleanupDefunctSiloEntries(At(100));
        Assert.Equal(Address(2), Assert.Single((await table.ReadAll()).Members).Item1.SiloAddress);
    }

    [Fact]
    public async Task Nothing_is_said_of_a_write_that_may_still_arrive()
    {
        var way = NewWay();
        var table = await OpenAsync(way);
        var version = (await table.ReadAll()).Version.Next();
        way.Lost[HttpMethod.Put] = 1;
        var failure = await Assert.ThrowsAsync<OrleansException>(() => table.InsertRow(Silo(1), version));
        Assert.Contains($"write 'membership/{Cluster}/table.json'", failure.Message, StringComparison.Ordinal);
        Assert.True(await table.InsertRow(Silo(1), version));
    }

    [Fact]
    public async Task A_service_that_is_too_busy_has_not_refused_the_version()
    {
        var way = NewWay();
        var table = await OpenAsync(way);
        var version = (await table.ReadAll()).Version.Next();
        way.Busy[HttpMethod.Put] = 1;
        await Assert.ThrowsAsync<OrleansException>(() => table.InsertRow(Silo(1), version));
        Assert.Single(Puts(way));
    }

    [Fact]
    public async Task A_write_of_which_nothing_can_be_learned_fails()
    {
        var way = NewWay();
        var table = await OpenAsync(way);
        var version = (await table.ReadAll()).Version.Next();
        (way.Unanswered[HttpMethod.Put], way.Lost[HttpMethod.Get]) = (1, 1);
        await Assert.ThrowsAsync<OrleansException>(() => table.InsertRow(Silo(1), version));
        Assert.Equal((1, 1), Extent(await table.ReadAll()));
    }

    [Fact]
    public async Task Reads_that_get_no_answer_fail_and_show_no_empty_table()
    {
        var way = NewWay();
        var table = await OpenAsync(way);
        way.Lost[HttpMethod.Get] = 2;
        await Assert.ThrowsAsync<OrleansException>(table.ReadAll);
        await table.ReadAll();
    }

    [Fact]
    public async Task A_container_that_is_gone_is_no_empty_table()
    {
        var table = await OpenAsync();
        await InsertAsync(table, Silo(1));
        var version = (await table.ReadAll()).Version.Next();
        await Container.DeleteAsync();
        await Assert.ThrowsAsync<OrleansException>(table.ReadAll);
        await Assert.ThrowsAsync<OrleansException>(() => table.InsertRow(Silo(2), version));
        await Assert.ThrowsAsync<OrleansException>(() => table.UpdateIAmAlive(Silo(1)));
    }

    [Fact]
    public async Task A_container_that_is_there_is_not_made()
    {
        await OpenAsync();
        var way = NewWay();
        await OpenAsync(way);
        Assert.Empty(Puts(way));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("{\"version\":1,")]
    [InlineData("{\"version\":1,\"writes\":[],\"members\":[{\"silo\":\"nowhere\",\"etag\":\"a\",\"status\":\"Active\",\"siloName\":\"b\",\"hostName\":\"h\",\"proxyPort\":0,\"startTime\":\"2026-01-01T00:00:00Z\",\"iAmAliveTime\":\"2026-01-01T00:00:00Z\"}]}")]
    public async Task A_blob_that_is_no_table_is_said_to_be_none(string text)
    {
        var table = await OpenAsync();
        await Container.UploadBlobAsync($"membership/{Cluster}/table.json", BinaryData.FromString(text));
        var failure = await Assert.ThrowsAsync<OrleansException>(table.ReadAll);
        Assert.Contains("is no membership table", failure.Message, StringComparison.Ordinal);
    }

    private static (int Rows, int Version) Extent(MembershipTableData table) => (table.Members.Count, table.Version.Version);

    private static IEnumerable<string> Puts(LossyHandler way) => way.Sent.Where(request => request.StartsWith("PUT", StringComparison.Ordinal) && !request.Contains("restype=container", StringComparison.Ordinal));
}
