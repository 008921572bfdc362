using System.Buffers;
using System.Net.Sockets;
using OrleansLog.Broker.Files;
using OrleansLog.Storage;

namespace OrleansLog.Kafka.Connections;

/// <summary>
/// Puts frames on a socket. Small ones are gathered into a single send; the slices of large ones go from the page cache
/// to the socket inside the kernel where the platform can do that.
/// </summary>
internal sealed class FrameSender(Socket socket)
{
    private const int GatheredBytesMax = 32 * 1024;
    private const int CopiedBytes = 128 * 1024;

    public async ValueTask SendAsync(ResponseFrame frame)
    {
        KafkaMetrics.Sent(frame.Length);
        if (frame.Slices.Count == 0)
            await SendAllAsync(frame.Encoded);
        else if (frame.Length <= GatheredBytesMax)
            await SendGatheredAsync(frame);
        else
            await SendInterleavedAsync(frame);
    }

    private async ValueTask SendGatheredAsync(ResponseFrame frame)
    {
        var length = (int)frame.Length;
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            Gather(frame, buffer);
            await SendAllAsync(buffer.AsMemory(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void Gather(ResponseFrame frame, byte[] buffer)
    {
        var (from, to) = (0, 0);
        foreach (var (position, slice) in frame.Slices)
        {
            frame.Encoded.Span[from..position].CopyTo(buffer.AsSpan(to));
            to += position - from;
            slice.Read(buffer.AsSpan(to, slice.Length));
            to += slice.Length;
            from = position;
        }
        frame.Encoded.Span[from..].CopyTo(buffer.AsSpan(to));
    }

    private async ValueTask SendInterleavedAsync(ResponseFrame frame)
    {
        var from = 0;
        foreach (var (position, slice) in frame.Slices)
        {
            await SendAllAsync(frame.Encoded[from..position]);
            await SendSliceAsync(slice);
            from = position;
        }
        await SendAllAsync(frame.Encoded[from..]);
    }

    private async ValueTask SendSliceAsync(LogSlice slice)
    {
        if (slice.File is MemoryLogFile memory)
        {
            await SendAllAsync(memory.Content.Slice((int)slice.Position, slice.Length));
            return;
        }
        var sent = 0;
        while (sent < slice.Length)
        {
            var moved = SendFile.IsSupported && slice.File is PhysicalLogFile file
                ? TrySendFile(file, slice.Position + sent, slice.Length - sent)
                : 0;
            // A socket that takes no more has no other way to say when it does again than an ordinary send.
            sent += moved > 0 ? moved : await SendCopyAsync(Part(slice, sent));
        }
    }

    private int TrySendFile(PhysicalLogFile file, long position, int count)
    {
        using var lease = file.Lease();
        return SendFile.TrySend(socket.SafeHandle, lease.Handle, position, count);
    }

    private static LogSlice Part(LogSlice slice, int from) =>
        new(slice.File, slice.Position + from, Math.Min(CopiedBytes, slice.Length - from));

    private async ValueTask<int> SendCopyAsync(LogSlice slice)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(slice.Length);
        try
        {
            slice.Read(buffer.AsSpan(0, slice.Length));
            await SendAllAsync(buffer.AsMemory(0, slice.Length));
            return slice.Length;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask SendAllAsync(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
            bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None)..];
    }
}
