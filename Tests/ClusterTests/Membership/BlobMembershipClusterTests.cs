using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;
using OrleansLog.ClusterTests.Support;
using OrleansLog.Membership;
using OrleansLog.UnitTests.Metadata;

namespace OrleansLog.ClusterTests.Membership;

/// <summary>Silos that know of one another by a blob container alone.</summary>
public sealed class BlobMembershipClusterTests(Azurite azurite) : MembershipTests(azurite)
{
    [Fact]
    public async Task Silos_find_one_another_and_a_client_finds_them()
    {
        await using var one = await StartAsync("broker-1");
        await using var two = await StartAsync("broker-2");
        await one.SeesAsync(two.Address, SiloStatus.Active);
        await two.SeesAsync(one.Address, SiloStatus.Active);
        Assert.Equal(("broker-1", "broker-2"), (two.NameOf(one.Address), one.NameOf(two.Address)));

        using var client = Client();
        await client.StartAsync();
        var hosts = await client.Services.GetRequiredService<IGrainFactory>().GetGrain<IManagementGrain>(0).GetHosts(onlyActive: true);
        Assert.Equal(new[] { one.Address, two.Address }.Order(), hosts.Keys.Order());
        await client.StopAsync();
    }

    [Fact]
    public async Task A_silo_that_is_cut_off_is_declared_dead_and_learns_it_from_the_table()
    {
        await using var one = await StartAsync("broker-1");
        await using var two = await StartAsync("broker-2");
        await one.SeesAsync(two.Address, SiloStatus.Active);
        two.CutOff();
        await one.SeesAsync(two.Address, SiloStatus.Dead);
        two.ReachStorage();
        await two.LearnsItsDeathAsync();
    }

    [Fact]
    public async Task A_silo_that_stops_says_so_and_comes_back_under_its_name()
    {
        await using var one = await StartAsync("broker-1");
        SiloAddress before;
        await using (var two = await StartAsync("broker-2"))
        {
            before = two.Address;
            await one.SeesAsync(before, SiloStatus.Active);
        }
        await one.SeesAsync(before, SiloStatus.Dead);
        await using var again = await StartAsync("broker-2");
        await one.SeesAsync(again.Address, SiloStatus.Active);
        Assert.Equal("broker-2", one.NameOf(again.Address));
    }

    private async Task<TestSilo> StartAsync(string name)
    {
        var way = NewWay();
        return await TestSilo.StartAsync(name, Cluster, way, By(way));
    }

    private IHost Client()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.UseOrleansClient(client => client
            .UseBlobMembership(By(NewWay()))
            .Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (Cluster, Cluster)));
        return builder.Build();
    }
}
