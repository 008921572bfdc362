using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace OrleansLog.Benchmarks.Clients.Librdkafka;

/// <summary>The few functions of librdkafka (rdkafka.h, 1.6 or later) that the benchmark calls, with their C names.</summary>
internal static unsafe partial class Native
{
    private const string Library = "librdkafka.so.1";

    public const int Producer = 0;
    public const int Consumer = 1;
    public const int QueueFull = -184; // RD_KAFKA_RESP_ERR__QUEUE_FULL
    public const int PartitionEof = -191; // RD_KAFKA_RESP_ERR__PARTITION_EOF
    public const int CopyPayload = 2; // RD_KAFKA_MSG_F_COPY
    public const int ErrorTextBytes = 512;
    public const long OffsetBeginning = -2;

    /// <summary>rd_kafka_message_t, whose layout is part of the library's ABI.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Message
    {
        public int Error;
        public nint Topic;
        public int Partition;
        public byte* Payload;
        public nuint Length;
        public byte* Key;
        public nuint KeyLength;
        public long Offset;
        public nint Private;
    }

    [LibraryImport(Library, EntryPoint = "rd_kafka_version_str")]
    private static partial nint VersionText();

    [LibraryImport(Library, EntryPoint = "rd_kafka_conf_new")]
    public static partial nint ConfNew();

    [LibraryImport(Library, EntryPoint = "rd_kafka_conf_set", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ConfSet(nint conf, string name, string value, byte* error, nuint errorBytes);

    [LibraryImport(Library, EntryPoint = "rd_kafka_conf_set_dr_msg_cb")]
    public static partial void ConfSetDeliveryReport(nint conf, delegate* unmanaged[Cdecl]<nint, Message*, nint, void> callback);

    [LibraryImport(Library, EntryPoint = "rd_kafka_conf_set_opaque")]
    public static partial void ConfSetOpaque(nint conf, nint opaque);

    [LibraryImport(Library, EntryPoint = "rd_kafka_new")]
    public static partial nint New(int type, nint conf, byte* error, nuint errorBytes);

    [LibraryImport(Library, EntryPoint = "rd_kafka_destroy")]
    public static partial void Destroy(nint handle);

    [LibraryImport(Library, EntryPoint = "rd_kafka_topic_new", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint TopicNew(nint handle, string topic, nint conf);

    [LibraryImport(Library, EntryPoint = "rd_kafka_topic_destroy")]
    public static partial void TopicDestroy(nint topic);

    [LibraryImport(Library, EntryPoint = "rd_kafka_produce")]
    public static partial int Produce(
        nint topic, int partition, int flags, byte* payload, nuint length, byte* key, nuint keyLength, nint messageOpaque);

    [LibraryImport(Library, EntryPoint = "rd_kafka_last_error")]
    public static partial int LastError();

    [LibraryImport(Library, EntryPoint = "rd_kafka_poll")]
    public static partial int Poll(nint handle, int timeoutMs);

    [LibraryImport(Library, EntryPoint = "rd_kafka_outq_len")]
    public static partial int OutQueueLength(nint handle);

    [LibraryImport(Library, EntryPoint = "rd_kafka_consume_start")]
    public static partial int ConsumeStart(nint topic, int partition, long offset);

    [LibraryImport(Library, EntryPoint = "rd_kafka_consume_stop")]
    public static partial int ConsumeStop(nint topic, int partition);

    [LibraryImport(Library, EntryPoint = "rd_kafka_consume_batch")]
    public static partial nint ConsumeBatch(nint topic, int partition, int timeoutMs, Message** messages, nuint count);

    [LibraryImport(Library, EntryPoint = "rd_kafka_message_destroy")]
    public static partial void MessageDestroy(Message* message);

    [LibraryImport(Library, EntryPoint = "rd_kafka_err2str")]
    private static partial nint ErrorText(int error);

    public static string Describe(int error) => Marshal.PtrToStringUTF8(ErrorText(error)) ?? "?";

    /// <summary>The library's version.</summary>
    /// <exception cref="Peers.UnavailableException">The library is not on this machine.</exception>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static string Version()
    {
        try
        {
            return Marshal.PtrToStringUTF8(VersionText()) ?? "?";
        }
        catch (DllNotFoundException)
        {
            throw new Peers.UnavailableException($"{Library} is not on this machine; on Debian it comes with: apt-get install librdkafka1");
        }
    }

    /// <summary>A handle with these settings; the caller destroys it.</summary>
    public static nint Open(int type, nint conf, IReadOnlyDictionary<string, string> settings)
    {
        var error = stackalloc byte[ErrorTextBytes];
        foreach (var (name, value) in settings)
        {
            if (ConfSet(conf, name, value, error, ErrorTextBytes) != 0)
            {
                throw new ArgumentException($"librdkafka: {Marshal.PtrToStringUTF8((nint)error)}");
            }
        }

        var handle = New(type, conf, error, ErrorTextBytes);
        return handle != 0 ? handle : throw new BrokerException($"librdkafka: {Marshal.PtrToStringUTF8((nint)error)}");
    }
}
