using System.Buffers.Text;

namespace OrleansLog.Benchmarks.Clients.Redis;

/// <summary>Reads RESP 2 (https://redis.io/docs/latest/develop/reference/protocol-spec/) token by token off a connection.</summary>
internal sealed class RespReader(Connection connection)
{
    /// <summary>Reads the number after the type byte <paramref name="type"/>: a length, a count or an integer.</summary>
    /// <exception cref="BrokerException">An error reply, or a reply of another type.</exception>
    public int ReadNumber(char type)
    {
        var line = ReadLine();
        if (line[0] != type)
        {
            throw new BrokerException($"Redis answered {System.Text.Encoding.UTF8.GetString(line)}");
        }

        _ = Utf8Parser.TryParse(line[1..], out int number, out _);
        return number;
    }

    /// <summary>Reads a bulk string. Valid until the next read.</summary>
    public ReadOnlySpan<byte> ReadBulk()
    {
        var length = ReadNumber('$');
        var bytes = connection.Need(length + 2)[..length];
        connection.Consume(length + 2);
        return bytes;
    }

    /// <summary>Reads a simple string such as OK.</summary>
    public void ReadStatus()
    {
        var line = ReadLine();
        if (line[0] == '-')
        {
            throw new BrokerException($"Redis answered {System.Text.Encoding.UTF8.GetString(line)}");
        }
    }

    private ReadOnlySpan<byte> ReadLine()
    {
        int end;
        while ((end = connection.Unread.IndexOf((byte)'\n')) < 0)
        {
            connection.ReceiveMore();
        }

        var line = connection.Unread[..(end - 1)];
        connection.Consume(end + 1);
        return line;
    }
}
