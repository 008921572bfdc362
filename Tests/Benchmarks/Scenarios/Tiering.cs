using OrleansLog.Benchmarks.Peers;
using OrleansLog.Benchmarks.Tiered;

namespace OrleansLog.Benchmarks.Scenarios;

/// <summary>
/// Our broker alone, with most of a topic in a remote store: cold reads beside the store's own speed, every record checked, and what
/// storing and cold reading do to producers.
/// </summary>
internal static class Tiering
{
    public static void Run(BenchmarkOptions options) => RunAsync(options).GetAwaiter().GetResult();

    private static async Task RunAsync(BenchmarkOptions options)
    {
        try
        {
            using var store = OpenStore(options);
            using var broker = new TieredBroker(options, store);
            var reads = new ColdReads(broker, store, options);
            await reads.RunAsync();
            await new ProduceLatency(broker, reads.StartReading, options).RunAsync();
        }
        catch (UnavailableException e)
        {
            Console.WriteLine(e.Message);
        }
    }

    private static IStoreReader OpenStore(BenchmarkOptions options) => options.BlobConnection is { } connection
        ? new BlobReader(connection)
        : new DirectoryReader(options.Store ?? Path.Combine(options.DataDirectory, "store"));
}
