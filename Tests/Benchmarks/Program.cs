using System.CommandLine;
using OrleansLog.Benchmarks;
using OrleansLog.Benchmarks.Scenarios;

var root = new RootCommand(
    """
    Measures OrleansLog beside the brokers that one would pick instead, on one machine and in one run.
    Prints medians of interleaved rounds and ratios; asserts nothing.
    """)
{
    CommandLine.Program("produce", "a librdkafka producer, record by record, against us and Apache Kafka", PerRecordProduce.Run),
    CommandLine.Program("consume", "a librdkafka consumer, record by record, against us and Apache Kafka", PerRecordConsume.Run),
    CommandLine.Program("raw-produce", "batches made beforehand: the broker alone is the limit", RawProduce.Run),
    CommandLine.Program("raw-consume", "a backlog in memory, counted and not looked at", RawConsume.Run),
    CommandLine.Program("latency", "produce to consume, at fixed rates", Latency.Run),
    CommandLine.Program("start-idle", "ours alone: start, idle memory, bytes and flushes written, recovery after kill -9", StartIdle.Run),
    CommandLine.Program("replication", "ours alone: one replica against three, in one process, acks=all", Replication.Run),
    CommandLine.Program("groups", "ours alone: rebalances, commits of offsets, failover of coordinators", Groups.Run),
    CommandLine.Program("shares", "ours alone: a share group beside a consumer group, record by record", Sharing.Run),
    CommandLine.Program("compaction", "ours alone: a log that holds each key twice, against a sequential copy of the same files", Compaction.Run),
    CommandLine.Program("tiering", "ours alone: cold reads from a remote store beside the store's own speed, and produce p99 meanwhile", Tiering.Run),
    CommandLine.Program("allocations", "ours alone: bytes allocated for a request and for a record", Allocations.Run),
};
return Programs.AddWhatThereIs(root).Parse(args).Invoke();
