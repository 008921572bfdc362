using System.Net;
using System.Text.Json;
using Orleans;
using Orleans.Runtime;
using OrleansLog.Membership;
using OrleansLog.UnitTests.Metadata;

namespace OrleansLog.ClusterTests.Membership;

/// <summary>The table as Orleans' membership protocol uses it.</summary>
public sealed class BlobMembershipTableTests(Azurite azurite) : MembershipTests(azurite)
{
    [Fact]
    public async Task A_new_table_is_empty_and_not_yet_written()
    {
        var all = await (await OpenAsync()).ReadAll();
        Assert.Empty(all.Members);
        Assert.Equal(0, all.Version.Version);
        Assert.Empty(await KeysAsync());
    }

    [Fact]
    public async Task A_row_comes_back_with_all_that_it_held()
    {
        var entry = Silo(1, SiloStatus.Joining);
        (entry.RoleName, entry.UpdateZone, entry.FaultZone) = ("role", 2, 3);
        entry.AddSuspector(Address(8), At(50));
        entry.AddSuspector(Address(9), At(60).AddTicks(1));
        await InsertAsync(await OpenAsync(), entry);

        var all = await (await OpenAsync()).ReadAll();
        var row = Assert.Single(all.Members).Item1;
        Assert.Equal(1, all.Version.Version);
        Assert.Equal(entry.ToFullString(), row.ToFullString());
        Assert.Equal(entry.SuspectTimes, row.SuspectTimes);
        Assert.Equal((entry.StartTime, entry.IAmAliveTime, DateTimeKind.Utc), (row.StartTime, row.IAmAliveTime, row.StartTime.Kind));
    }

    [Fact]
    public async Task A_row_that_says_little_comes_back()
    {
        var entry = new MembershipEntry { SiloAddress = SiloAddress.New(IPAddress.IPv6Loopback, 1, 2), Status = SiloStatus.Created };
        await InsertAsync(await OpenAsync(), entry);
        await (await OpenAsync()).UpdateIAmAlive(new MembershipEntry { SiloAddress = entry.SiloAddress, IAmAliveTime = At(1) });
        var row = Assert.Single((await (await OpenAsync()).ReadAll()).Members).Item1;
        Assert.Equal((entry.SiloAddress, At(1)), (row.SiloAddress, row.IAmAliveTime));
        Assert.Null(row.SuspectTimes);
    }

    [Fact]
    public async Task One_row_is_read_with_the_version_of_the_table()
    {
        var table = await OpenAsync();
        await InsertAsync(table, Silo(1));
        await InsertAsync(table, Silo(2));
        var one = await table.ReadRow(Address(1));
        Assert.Equal(Address(1), Assert.Single(one.Members).Item1.SiloAddress);
        Assert.Equal((await table.ReadAll()).Version, one.Version);
        Assert.Empty((await table.ReadRow(Address(3))).Members);
    }

    [Fact]
    public async Task A_change_of_one_row_changes_its_etag_and_no_others()
    {
        var table = await OpenAsync();
        await InsertAsync(table, Silo(1, SiloStatus.Joining));
        await InsertAsync(table, Silo(2));
        var before = await table.ReadAll();
        Assert.True(await TryUpdateAsync(table, Silo(1)));

        var after = await (await OpenAsync()).ReadAll();
        Assert.Equal(3, after.Version.Version);
        Assert.Equal(SiloStatus.Active, after.TryGet(Address(1))!.Item1.Status);
        Assert.NotEqual(before.TryGet(Address(1))!.Item2, after.TryGet(Address(1))!.Item2);
        Assert.Equal(before.TryGet(Address(2))!.Item2, after.TryGet(Address(2))!.Item2);
    }

    /// <summary>Once with a table that has just written, and once with one that has to read before it can tell.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_was_read_before_another_change_changes_nothing(bool isWriter)
    {
        var writer = await OpenAsync();
        await InsertAsync(writer, Silo(1));
        var stale = await writer.ReadAll();
        await InsertAsync(writer, Silo(2));
        var etag = stale.TryGet(Address(1))!.Item2;

        var table = isWriter ? writer : await OpenAsync();
        Assert.False(await table.InsertRow(Silo(3), stale.Version.Next()));
        Assert.False(await table.UpdateRow(Silo(1, SiloStatus.Dead), etag, stale.Version.Next()));
        Assert.Equal([SiloStatus.Active, SiloStatus.Active], (await table.ReadAll()).Members.Select(row => row.Item1.Status));
    }

    [Fact]
    public async Task The_other_writer_is_found_out_by_the_service()
    {
        var (one, other) = (await OpenAsync(), await OpenAsync());
        await InsertAsync(one, Silo(1));
        var stale = await one.ReadAll();
        await InsertAsync(other, Silo(2));
        // The first one still holds what it read, and goes on from there.
        Assert.False(await one.InsertRow(Silo(3), stale.Version.Next()));
        Assert.Equal(2, (await one.ReadAll()).Members.Count);
    }

    [Fact]
    public async Task A_row_is_inserted_once_and_updated_only_where_it_is()
    {
        var table = await OpenAsync();
        await InsertAsync(table, Silo(1));
        var all = await table.ReadAll();
        Assert.False(await table.InsertRow(Silo(1), all.Version.Next()));
        Assert.False(await table.UpdateRow(Silo(2), all.TryGet(Address(1))!.Item2, all.Version.Next()));
        Assert.False(await table.UpdateRow(Silo(1), "another", all.Version.Next()));
        Assert.Equal(all.Version, (await table.ReadAll()).Version);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Of_writers_at_the_same_time_one_wins(int rowsBefore)
    {
        var tables = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => OpenAsync()));
        for (var i = 0; i < rowsBefore; i++) await InsertAsync(tables[0], Silo(100 + i));
        // Each goes on from what it has read, so that the service alone decides.
        var version = (await Task.WhenAll(tables.Select(table => table.ReadAll())))[0].Version.Next();
        var won = await Task.WhenAll(tables.Select((table, i) => table.InsertRow(Silo(i), version)));
        var winner = Array.IndexOf(won, true);
        Assert.Single(won, true);

        var all = await tables[0].ReadAll();
        Assert.Equal(rowsBefore + 1, all.Version.Version);
        Assert.NotNull(all.TryGet(Address(winner)));
        Assert.Equal(rowsBefore + 1, all.Members.Count);
    }

    [Fact]
    public async Task The_document_remembers_a_bounded_number_of_writes()
    {
        var table = await OpenAsync();
        await InsertAsync(table, Silo(1));
        for (var i = 0; i < 40; i++) Assert.True(await TryUpdateAsync(table, Silo(1)));
        var blob = await Container.GetBlobClient($"membership/{Cluster}/table.json").DownloadContentAsync();
        using var document = JsonDocument.Parse(blob.Value.Content);
        Assert.Equal(32, document.RootElement.GetProperty("writes").GetArrayLength());
        Assert.Equal(41, document.RootElement.GetProperty("version").GetInt32());
    }

    [Fact]
    public async Task A_sign_of_life_leaves_the_table_as_it_is()
    {
        var table = await OpenAsync();
        await InsertAsync(table, Silo(1));
        var before = await table.ReadAll();
        await table.UpdateIAmAlive(new MembershipEntry { SiloAddress = Address(1), IAmAliveTime = At(90) });

        var after = await table.ReadAll();
        Assert.Equal(At(90), after.TryGet(Address(1))!.Item1.IAmAliveTime);
        Assert.Equal((before.Version, before.Members[0].Item2), (after.Version, after.Members[0].Item2));
        Assert.True(await table.UpdateRow(Silo(1, SiloStatus.Dead), before.Members[0].Item2, before.Version.Next()));
    }

    [Fact]
    public async Task The_later_one_of_the_times_of_row_and_sign_of_life_counts()
    {
        var table = await OpenAsync();
        await InsertAsync(table, Silo(1));
        await table.UpdateIAmAlive(new MembershipEntry { SiloAddress = Address(1), IAmAliveTime = At(-5) });
        Assert.Equal(At(1), (await table.ReadAll()).Members[0].Item1.IAmAliveTime);
    }

    [Fact]
    public async Task Defunct_silos_are_removed_with_their_signs_of_life()
    {
        var table = await OpenAsync();
        var condemned = Silo(5, SiloStatus.Dead);
        condemned.AddSuspector(Address(1), At(100));
        MembershipEntry[] rows = [Silo(1), Silo(2, SiloStatus.Dead), Silo(3, SiloStatus.Dead), Silo(4, SiloStatus.Joining), condemned];
        foreach (var row in rows) await InsertAsync(table, row);
        foreach (var silo in new[] { 1, 2, 6 }) await table.UpdateIAmAlive(new MembershipEntry { SiloAddress = Address(silo), IAmAliveTime = At(10) });
        await table.UpdateIAmAlive(new MembershipEntry { SiloAddress = Address(3), IAmAliveTime = At(100) });

        var before = await table.ReadAll();
        await table.CleanupDefunctSiloEntries(At(100));
        var after = await table.ReadAll();
        Assert.Equal([Address(1), Address(3), Address(5)], after.Members.Select(row => row.Item1.SiloAddress).Order());
        Assert.Equal(before.Version.Version, after.Version.Version);
        Assert.Equal(
            [$"membership/{Cluster}/alive/127.0.0.1:11001@7", $"membership/{Cluster}/alive/127.0.0.1:11003@7", $"membership/{Cluster}/table.json"],
            await KeysAsync());
        Assert.False(await table.UpdateRow(Silo(1), before.TryGet(Address(1))!.Item2, before.Version.Next()));
    }

    [Fact]
    public async Task A_cleanup_that_finds_nothing_writes_nothing()
    {
        var way = NewWay();
        var table = await OpenAsync(way);
        await InsertAsync(table, Silo(1));
        var before = await table.ReadAll();
        var sent = way.Sent.Count;
        await table.CleanupDefunctSiloEntries(At(100));
        Assert.Equal(before.Version, (await table.ReadAll()).Version);
        Assert.DoesNotContain(way.Sent.Skip(sent), request => request.StartsWith("PUT", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_cluster_is_deleted_and_its_neighbour_stays()
    {
        var (table, neighbour) = (await OpenAsync(), await OpenAsync(cluster: Cluster + "2"));
        foreach (var each in new[] { table, neighbour })
        {
            await InsertAsync(each, Silo(1));
            await each.UpdateIAmAlive(Silo(1));
        }
        await table.DeleteMembershipTableEntries(Cluster);
        Assert.Empty((await table.ReadAll()).Members);
        Assert.Single((await neighbour.ReadAll()).Members);
        Assert.Equal(2, (await KeysAsync()).Count);
        await InsertAsync(table, Silo(2));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a.")]
    public void A_cluster_whose_name_cannot_be_a_folders_is_misconfigured(string cluster) =>
        Assert.Throws<OrleansConfigurationException>(() => new BlobMembershipTable(By(NewWay()), cluster));

    [Fact]
    public async Task Names_of_clusters_do_not_run_into_one_another()
    {
        var (outer, inner) = (await OpenAsync(cluster: "a"), await OpenAsync(cluster: "a/alive"));
        await InsertAsync(inner, Silo(1));
        Assert.Empty((await outer.ReadAll()).Members);
        await outer.DeleteMembershipTableEntries("a");
        Assert.Single((await inner.ReadAll()).Members);
    }

    [Fact]
    public async Task Gateways_are_those_of_active_silos_that_have_one()
    {
        var table = await OpenAsync();
        var closed = Silo(2);
        closed.ProxyPort = 0;
        MembershipEntry[] rows = [Silo(1), closed, Silo(3, SiloStatus.Dead), Silo(4, SiloStatus.Joining), Silo(5)];
        foreach (var row in rows) await InsertAsync(table, row);

        var gateways = new BlobGatewayListProvider(By(NewWay()), Cluster, TimeSpan.FromSeconds(3));
        await gateways.InitializeGatewayListProvider();
        Assert.Equal(["gwy.tcp://127.0.0.1:30001/7", "gwy.tcp://127.0.0.1:30005/7"], (await gateways.GetGateways()).Select(uri => uri.ToString()));
        Assert.Equal(TimeSpan.FromSeconds(3), gateways.MaxStaleness);
    }

    [Fact]
    public async Task A_client_makes_no_container()
    {
        var gateways = new BlobGatewayListProvider(By(NewWay()), Cluster, TimeSpan.FromSeconds(3));
        await gateways.InitializeGatewayListProvider();
        await Assert.ThrowsAsync<OrleansException>(gateways.GetGateways);
        Assert.False(await Container.ExistsAsync());
    }
}
