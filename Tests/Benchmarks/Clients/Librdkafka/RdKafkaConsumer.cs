using System.Net;

namespace OrleansLog.Benchmarks.Clients.Librdkafka;

/// <summary>Every record of one partition as a message of its own, decoded by librdkafka, from the first on.</summary>
internal sealed unsafe class RdKafkaConsumer : IDisposable
{
    private const int MessagesMax = 4096;
    private const int TimeoutMs = 1_000;
    private readonly nint _handle;
    private readonly nint _topic;

    public RdKafkaConsumer(IPEndPoint endPoint, string topic)
    {
        _handle = Native.Open(Native.Consumer, Native.ConfNew(), new Dictionary<string, string>
        {
            ["bootstrap.servers"] = endPoint.ToString(),
            ["queued.min.messages"] = "1000000",
            ["check.crcs"] = "false",
        });
        _topic = Native.TopicNew(_handle, topic, 0);
        if (Native.ConsumeStart(_topic, 0, Native.OffsetBeginning) != 0)
        {
            throw new BrokerException($"librdkafka: {Native.Describe(Native.LastError())}");
        }
    }

    /// <summary>Waits for messages, looks at each one and gives it back.</summary>
    /// <returns>How many there were; 0 when a second passed without.</returns>
    public int Receive()
    {
        var messages = stackalloc Native.Message*[MessagesMax];
        var count = (int)Native.ConsumeBatch(_topic, 0, TimeoutMs, messages, MessagesMax);
        var records = 0;
        for (var i = 0; i < count; i++)
        {
            var error = messages[i]->Error;
            Native.MessageDestroy(messages[i]);
            if (error is not (0 or Native.PartitionEof))
            {
                throw new BrokerException($"librdkafka: {Native.Describe(error)}");
            }

            records += error == 0 ? 1 : 0;
        }

        return records;
    }

    public void Dispose()
    {
        _ = Native.ConsumeStop(_topic, 0);
        Native.TopicDestroy(_topic);
        Native.Destroy(_handle);
    }
}
