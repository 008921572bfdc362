using Microsoft.Extensions.DependencyInjection;
using Orleans.Hosting;
using Orleans.Runtime;
using OrleansLog.ClusterTests.Support;
using OrleansLog.Silo.Clustering;

namespace OrleansLog.ClusterTests.Client;

/// <summary>A silo that cannot reach others must still be able to say how it is.</summary>
public sealed class HealthTests
{
    private static readonly AsyncLocal<int[]?> Calls = new();

    [Fact]
    public async Task Whether_a_silo_is_ready_is_known_without_a_call()
    {
        await using var silo = new LogSilo(configure: builder => builder.AddOutgoingGrainCallFilter(call =>
        {
            if (Calls.Value is { } calls) calls[0]++;
            return call.Invoke();
        }));
        await silo.StartAsync();
        int[] made = [0];
        Calls.Value = made;
        Assert.Null(silo.Engine.NotReady);
        Assert.Equal(0, made[0]);

        // The count would have shown one.
        await silo.Services.GetRequiredService<IGrainFactory>().GetGrain<IManagementGrain>(0).GetTotalActivationCount();
        Assert.NotEqual(0, made[0]);
    }

    [Fact]
    public async Task Orleans_measures_are_on_the_page_of_metrics()
    {
        var data = Directory.CreateTempSubdirectory("orleanslog-silo-");
        var ports = FreePorts.Find(4);
        using var stop = new CancellationTokenSource();
        var output = new FirstLine();
        var running = OrleansLog.Silo.SiloProcess.RunAsync(
            new() { DataDirectory = data.FullName, KafkaPort = ports[0], HttpPort = ports[1], SiloPort = ports[2], GatewayPort = ports[3] },
            ClusterEngine.StartAsync, output, stop.Token);
        await await Task.WhenAny(running, output.Written);
        using var http = new HttpClient();
        var page = await http.GetStringAsync(new Uri($"http://127.0.0.1:{ports[1]}/metrics"));
        await stop.CancelAsync();
        await running;
        data.Delete(recursive: true);

        Assert.Contains("\norleans_", page, StringComparison.Ordinal);
        Assert.Contains("\norleanslog_partitions", page, StringComparison.Ordinal);
    }

    private sealed class FirstLine : StringWriter
    {
        private readonly TaskCompletionSource _written = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Written => _written.Task;

        public override Task WriteLineAsync(string? value)
        {
            _written.TrySetResult();
            return Task.CompletedTask;
        }
    }
}
