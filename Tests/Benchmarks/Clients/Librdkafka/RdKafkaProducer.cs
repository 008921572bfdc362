using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using OrleansLog.Benchmarks.Clients.Kafka;

namespace OrleansLog.Benchmarks.Clients.Librdkafka;

/// <summary>
/// One call of rd_kafka_produce for each record, one delivery report for each. Default settings but for acks=1, the
/// linger and queue that its own performance tool uses, and full batches.
/// </summary>
internal sealed unsafe class RdKafkaProducer : IDisposable
{
    private const int RecordsBetweenPolls = 1024;
    private readonly Counts* _counts = (Counts*)NativeMemory.AllocZeroed((nuint)sizeof(Counts));
    private readonly nint _handle;
    private readonly nint _topic;
    private readonly byte[] _value;
    private int _untilPoll = RecordsBetweenPolls;

    public RdKafkaProducer(IPEndPoint endPoint, string topic, int recordBytes)
    {
        _value = RecordBatchMaker.Filler(recordBytes);
        var conf = Native.ConfNew();
        Native.ConfSetOpaque(conf, (nint)_counts);
        Native.ConfSetDeliveryReport(conf, &OnDelivery);
        _handle = Native.Open(Native.Producer, conf, new Dictionary<string, string>
        {
            ["bootstrap.servers"] = endPoint.ToString(),
            ["acks"] = "1",
            ["linger.ms"] = "5",
            ["queue.buffering.max.messages"] = "500000",
            ["queue.buffering.max.kbytes"] = "1048576",
            ["message.timeout.ms"] = "10000",
        });
        _topic = Native.TopicNew(_handle, topic, 0);
    }

    /// <summary>Records whose delivery report said that they were written.</summary>
    public long Delivered => _counts->Delivered;

    /// <summary>Hands one record over, waiting for delivery reports while the queue is full.</summary>
    /// <exception cref="BrokerException">This record was refused, or an earlier one failed.</exception>
    public void Produce()
    {
        fixed (byte* value = _value)
        {
            while (Native.Produce(_topic, 0, Native.CopyPayload, value, (nuint)_value.Length, null, 0, 0) != 0)
            {
                var error = Native.LastError();
                if (error != Native.QueueFull)
                {
                    throw new BrokerException($"librdkafka: {Native.Describe(error)}");
                }

                _ = Native.Poll(_handle, 10);
            }
        }

        if (--_untilPoll == 0)
        {
            _untilPoll = RecordsBetweenPolls;
            _ = Native.Poll(_handle, 0);
            ThrowIfFailed();
        }
    }

    /// <summary>Waits until every record has been reported on.</summary>
    public void Flush()
    {
        while (Native.OutQueueLength(_handle) > 0)
        {
            _ = Native.Poll(_handle, 100);
        }

        ThrowIfFailed();
    }

    public void Dispose()
    {
        Native.TopicDestroy(_topic);
        Native.Destroy(_handle);
        NativeMemory.Free(_counts);
    }

    private void ThrowIfFailed()
    {
        if (_counts->Failed > 0)
        {
            throw new BrokerException($"librdkafka: {_counts->Failed} records failed, the last with {Native.Describe(_counts->LastError)}");
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnDelivery(nint handle, Native.Message* message, nint opaque)
    {
        var counts = (Counts*)opaque;
        if (message->Error == 0)
        {
            counts->Delivered++;
            return;
        }

        counts->Failed++;
        counts->LastError = message->Error;
    }

    // Written on the polling thread alone, which is the producing one.
    private struct Counts
    {
        public long Delivered;
        public long Failed;
        public int LastError;
    }
}
