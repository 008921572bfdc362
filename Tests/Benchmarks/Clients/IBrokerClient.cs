using OrleansLog.Benchmarks.Peers;

namespace OrleansLog.Benchmarks.Clients;

/// <summary>
/// A minimal client of one broker's own protocol: blocking sockets, as few copies and system calls as the protocol
/// allows, so that the broker and not the client is what is measured. "Topic" stands for the broker's own word: a topic
/// of one partition, a stream, a key.
/// </summary>
internal interface IBrokerClient
{
    /// <summary>Creates an empty topic of one partition and returns when it can be used.</summary>
    void CreateTopic(string topic, Durability durability);

    void DeleteTopic(string topic);

    IProducerLink OpenProducer(string topic, ProducerShape shape);

    /// <summary>Opens a reader that starts at the first record of <paramref name="topic"/>.</summary>
    IConsumerLink OpenConsumer(string topic, int fetchBytes);
}

/// <summary>What a producer sends.</summary>
/// <param name="RecordBytes">Bytes of a record's value; at least 8.</param>
/// <param name="BatchRecords">Records in a batch that was made beforehand, where the protocol has batches.</param>
/// <param name="WindowRequests">Requests (batches, or messages where there are no batches) sent and not yet acknowledged.</param>
internal sealed record ProducerShape(int RecordBytes, int BatchRecords, int WindowRequests);

/// <summary>One producing connection. Used by one thread.</summary>
internal interface IProducerLink : IDisposable
{
    /// <summary>Records whose acknowledgement has been read.</summary>
    long Acknowledged { get; }

    /// <summary>Sends one batch made beforehand, first reading acknowledgements while the window is full.</summary>
    /// <returns>How many records were in it.</returns>
    int SendBatch();

    /// <summary>Sends one record for each stamp, made now, with the stamp in its first eight bytes (little-endian).</summary>
    void Send(ReadOnlySpan<long> stamps);

    /// <summary>Reads acknowledgements until none is missing.</summary>
    void AwaitAcknowledgements();
}

/// <summary>One consuming connection. Used by one thread.</summary>
internal interface IConsumerLink : IDisposable
{
    /// <summary>Bytes read from the socket so far.</summary>
    long BytesReceived { get; }

    /// <summary>
    /// Blocks until records have come (or the broker's long poll ended), counts them, and shows
    /// <paramref name="onStamp"/> the first eight bytes of each value; without it, records are counted as cheaply as
    /// the protocol allows.
    /// </summary>
    /// <returns>The number of records; 0 when the wait ended without any.</returns>
    /// <exception cref="BrokerException">The broker refused, or the connection ended.</exception>
    int Receive(Action<long>? onStamp);
}

/// <summary>The broker said no, or hung up.</summary>
internal sealed class BrokerException(string message) : Exception(message);
