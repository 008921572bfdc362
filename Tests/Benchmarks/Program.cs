using System.CommandLine;
using OrleansLog.Benchmarks;
using OrleansLog.Benchmarks.Scenarios;

var root = new RootCommand(
    """
    Measures OrleansLog beside the brokers that one would pick instead, on one machine and in one run.
    Prints medians of interleaved rounds and ratios; asserts nothing.
    """)
{
    CommandLine.Program("raw-produce", "batches made beforehand: the broker alone is the limit", RawProduce.Run),
    CommandLine.Program("raw-consume", "a backlog in memory, counted and not looked at", RawConsume.Run),
    CommandLine.Program("latency", "produce to consume, at fixed rates", Latency.Run),
};
return root.Parse(args).Invoke();
