using System.Buffers.Text;
using System.Net;
using System.Text;

namespace OrleansLog.Benchmarks.Clients.Nats;

/// <summary>
/// The NATS client protocol (https://docs.nats.io/reference/reference-protocols/nats-protocol): text lines, payloads by
/// length. Used by one thread.
/// </summary>
internal sealed class NatsConnection : IDisposable
{
    private readonly Connection _connection;

    public NatsConnection(IPEndPoint endPoint, int bufferBytes = 1 << 20)
    {
        _connection = new Connection(endPoint, bufferBytes);
        ReadLine("INFO");
        Send("CONNECT {\"verbose\":false,\"pedantic\":false,\"protocol\":1,\"headers\":true,\"no_responders\":true}\r\nPING\r\n");
        ReadLine("PONG");
    }

    public long BytesReceived => _connection.BytesReceived;

    /// <summary>An inbox of this connection; the number makes it unique in this process's life.</summary>
    public static string NewInbox() => "_INBOX." + Guid.NewGuid().ToString("N");

    public void Send(string text) => _connection.Send(Encoding.UTF8.GetBytes(text));

    public void Send(ReadOnlySpan<byte> bytes) => _connection.Send(bytes);

    /// <summary>One request to the JetStream API; the answer as text.</summary>
    public string Request(string subject, string body)
    {
        var inbox = NewInbox();
        Send($"SUB {inbox} 9\r\nPUB {subject} {inbox} {Encoding.UTF8.GetByteCount(body)}\r\n{body}\r\n");
        var answer = Encoding.UTF8.GetString(ReadMessage().Payload);
        Send("UNSUB 9\r\n");
        return answer.Contains("\"error\"", StringComparison.Ordinal) ? throw new BrokerException($"{subject}: {answer}") : answer;
    }

    /// <summary>Blocks until a message has come; answers pings meanwhile. The message is valid until the next read.</summary>
    public NatsMessage ReadMessage()
    {
        for (; ; )
        {
            var lineEnd = FindLine();
            var line = _connection.Unread[..lineEnd];
            switch (line[0])
            {
                case (byte)'M': return ReadPayload(line, hasHeaders: false, lineEnd + 2);
                case (byte)'H': return ReadPayload(line, hasHeaders: true, lineEnd + 2);
                case (byte)'-': throw new BrokerException("NATS: " + Encoding.UTF8.GetString(line));
            }

            var isPing = line.SequenceEqual("PING"u8);
            _connection.Consume(lineEnd + 2);
            if (isPing)
            {
                Send("PONG\r\n");
            }
        }
    }

    /// <summary>Whether a further message can be read without waiting for its first line.</summary>
    public bool HasLine => _connection.Unread.IndexOf((byte)'\n') >= 0;

    public void Dispose() => _connection.Dispose();

    // [H]MSG subject sid [reply] [header bytes] total bytes
    private NatsMessage ReadPayload(ReadOnlySpan<byte> line, bool hasHeaders, int payloadAt)
    {
        var total = TakeLastNumber(ref line);
        var headerBytes = hasHeaders ? TakeLastNumber(ref line) : 0;
        var replyAt = Count(line, (byte)' ') == 3 ? line.LastIndexOf((byte)' ') + 1 : 0;
        var replyLength = replyAt == 0 ? 0 : line.Length - replyAt;
        var frame = _connection.Need(payloadAt + total + 2);
        _connection.Consume(payloadAt + total + 2);
        return new NatsMessage
        {
            Reply = frame.Slice(replyAt, replyLength),
            Headers = frame.Slice(payloadAt, headerBytes),
            Payload = frame.Slice(payloadAt + headerBytes, total - headerBytes),
        };
    }

    private static int Count(ReadOnlySpan<byte> text, byte sought) => text.Count(sought);

    private static int TakeLastNumber(ref ReadOnlySpan<byte> line)
    {
        var space = line.LastIndexOf((byte)' ');
        _ = Utf8Parser.TryParse(line[(space + 1)..], out int number, out _);
        line = line[..space];
        return number;
    }

    private void ReadLine(string expected)
    {
        var end = FindLine();
        var line = Encoding.UTF8.GetString(_connection.Unread[..end]);
        _connection.Consume(end + 2);
        if (!line.StartsWith(expected, StringComparison.Ordinal))
        {
            throw new BrokerException($"NATS answered {line}");
        }
    }

    private int FindLine()
    {
        int end;
        while ((end = _connection.Unread.IndexOf((byte)'\n')) < 0)
        {
            _connection.ReceiveMore();
        }

        return end - 1;
    }
}

/// <summary>One delivered message; spans of the connection's buffer.</summary>
internal ref struct NatsMessage
{
    public ReadOnlySpan<byte> Reply { get; init; }

    public ReadOnlySpan<byte> Headers { get; init; }

    public ReadOnlySpan<byte> Payload { get; init; }
}
