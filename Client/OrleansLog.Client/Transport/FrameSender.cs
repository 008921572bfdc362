using System.Net.Sockets;

namespace OrleansLog.Client.Transport;

/// <summary>
/// Writes frames to a socket in the order in which they were handed over. Frames that gather while one write is under
/// way leave together. Any thread may hand one over; the first does the writing.
/// </summary>
internal sealed class FrameSender(Socket socket, Action<Exception> onFailure)
{
    private readonly Lock _gate = new();
    private readonly List<ArraySegment<byte>> _pieces = [];
    private List<QueuedFrame> _waiting = [];
    private List<QueuedFrame> _underWay = [];
    private bool _isWriting;

    /// <summary>Takes over a frame; <paramref name="beforeQueued"/> runs in the same order as the frames are written.</summary>
    public void Send(FrameBuilder frame, PendingResponse response, Action<PendingResponse> beforeQueued)
    {
        lock (_gate)
        {
            beforeQueued(response);
            _waiting.Add(new QueuedFrame(frame, response));
            if (_isWriting) return;
            _isWriting = true;
        }
        _ = WriteAllAsync();
    }

    private async Task WriteAllAsync()
    {
        try
        {
            while (TakeWaiting())
            {
                foreach (var queued in _underWay) queued.Frame.Complete(_pieces);
                await WriteAsync();
                foreach (var queued in _underWay)
                {
                    queued.Frame.Dispose();
                    if (!queued.Response.ExpectsResponse) queued.Response.TryComplete(ResponseFrame.None);
                }
                _underWay.Clear();
                _pieces.Clear();
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            onFailure(e);
        }
    }

    private bool TakeWaiting()
    {
        lock (_gate)
        {
            if (_waiting.Count == 0)
            {
                _isWriting = false;
                return false;
            }
            (_waiting, _underWay) = (_underWay, _waiting);
            return true;
        }
    }

    private async ValueTask WriteAsync()
    {
        if (_pieces.Count > 1)
        {
            await WriteGatheredAsync();
            return;
        }
        for (var rest = _pieces[0].AsMemory(); rest.Length > 0;)
        {
            rest = rest[await socket.SendAsync(rest, SocketFlags.None)..];
        }
    }

    private async ValueTask WriteGatheredAsync()
    {
        while (_pieces.Count > 0)
        {
            var sent = await socket.SendAsync(_pieces, SocketFlags.None);
            while (_pieces.Count > 0 && sent >= _pieces[0].Count)
            {
                sent -= _pieces[0].Count;
                _pieces.RemoveAt(0);
            }
            if (sent > 0) _pieces[0] = _pieces[0][sent..];
        }
    }

    private readonly record struct QueuedFrame(FrameBuilder Frame, PendingResponse Response);
}
