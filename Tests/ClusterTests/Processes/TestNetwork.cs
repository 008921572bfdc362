using System.Diagnostics;

namespace OrleansLog.ClusterTests.Processes;

/// <summary>
/// A network of Linux network namespaces, one for each silo, joined by a bridge that this process is on too; packets from one
/// to another can be made to vanish, each way for itself. Needs root and iproute2.
/// </summary>
internal sealed class TestNetwork : IAsyncDisposable
{
    // Nobody has this address, so that what is sent to it arrives nowhere and nobody is told.
    private const string Nowhere = "02:00:00:00:00:01";

    private static int s_lastNumber;

    private readonly string _name;
    private readonly string _prefix;
    private readonly int _count;

    private TestNetwork(int count)
    {
        _count = count;
        _name = $"olt{Environment.ProcessId % 100_000}n{Interlocked.Increment(ref s_lastNumber)}";
        _prefix = $"10.{200 + (Environment.ProcessId % 50)}.{s_lastNumber % 250}";
    }

    /// <summary>This process's address in it.</summary>
    public string Host => $"{_prefix}.1";

    /// <summary>Makes a network with places for silos; skips the running test where that is not allowed.</summary>
    public static async Task<TestNetwork> CreateAsync(int silos)
    {
        var network = new TestNetwork(silos);
        try
        {
            Assert.SkipUnless(
                OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess && await TryAsync("link", "add", network._name, "type", "bridge"),
                "Network namespaces cannot be made here: that needs Linux, root and iproute2.");
            await IpAsync("addr", "add", $"{network.Host}/24", "dev", network._name);
            await IpAsync("link", "set", network._name, "up");
            for (var silo = 0; silo < silos; silo++)
                await network.AddAsync(silo);
            return network;
        }
        catch
        {
            await network.DisposeAsync();
            throw;
        }
    }

    public Place PlaceOf(int silo) => new(AddressOf(silo), "ip", "netns", "exec", Namespace(silo));

    /// <summary>Makes packets from a silo to another vanish.</summary>
    public Task CutAsync(int from, int to) => IpAsync("-n", Namespace(from), "neigh", "replace", AddressOf(to), "lladdr", Nowhere, "dev", "eth0", "nud", "permanent");

    /// <summary>Cuts a silo off from all others, this process and the storage among them.</summary>
    public Task IsolateAsync(int silo) => IpAsync("link", "set", Link(silo), "down");

    /// <summary>Lets all packets through again.</summary>
    public async Task MendAsync()
    {
        for (var silo = 0; silo < _count; silo++)
        {
            await IpAsync("link", "set", Link(silo), "up");
            await IpAsync("-n", Namespace(silo), "neigh", "flush", "dev", "eth0", "nud", "permanent");
        }
    }

    public async ValueTask DisposeAsync()
    {
        for (var silo = 0; silo < _count; silo++)
            await TryAsync("netns", "delete", Namespace(silo));
        await TryAsync("link", "delete", _name);
    }

    private async Task AddAsync(int silo)
    {
        await IpAsync("netns", "add", Namespace(silo));
        await IpAsync("link", "add", Link(silo), "type", "veth", "peer", "name", "eth0", "netns", Namespace(silo));
        await IpAsync("link", "set", Link(silo), "master", _name);
        await IpAsync("link", "set", Link(silo), "up");
        await IpAsync("-n", Namespace(silo), "addr", "add", $"{AddressOf(silo)}/24", "dev", "eth0");
        await IpAsync("-n", Namespace(silo), "link", "set", "eth0", "up");
        await IpAsync("-n", Namespace(silo), "link", "set", "lo", "up");
    }

    private string Namespace(int silo) => $"{_name}s{silo}";

    private string Link(int silo) => $"{_name}v{silo}";

    private string AddressOf(int silo) => $"{_prefix}.{10 + silo}";

    private static async Task IpAsync(params string[] arguments)
    {
        var (code, error) = await RunAsync(arguments);
        if (code != 0)
            throw new InvalidOperationException($"ip {string.Join(' ', arguments)}: {error}");
    }

    private static async Task<bool> TryAsync(params string[] arguments)
    {
        try
        {
            return (await RunAsync(arguments)).Code == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // There is no such program.
            return false;
        }
    }

    private static async Task<(int Code, string Error)> RunAsync(string[] arguments)
    {
        using var ip = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardError = true })!;
        var error = await ip.StandardError.ReadToEndAsync();
        await ip.WaitForExitAsync();
        return (ip.ExitCode, error.Trim());
    }
}
