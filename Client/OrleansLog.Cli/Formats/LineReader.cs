namespace OrleansLog.Cli.Formats;

/// <summary>
/// Splits a stream into lines at line feeds, as bytes: nothing is decoded, a carriage return stays, and the last line
/// needs no end. Reads in large blocks. One thread at a time.
/// </summary>
/// <param name="source">Read from a thread of the pool, since standard input can block for ever.</param>
/// <param name="blockBytes">How much is read at once, at most.</param>
/// <param name="lineBytesMax">The longest line that is taken.</param>
internal sealed class LineReader(
    Stream source, int blockBytes = LineReader.DefaultBlockBytes, int lineBytesMax = LineReader.DefaultLineBytesMax)
{
    /// <summary>Room for the largest record that a broker may be configured to take, as base64 in JSON.</summary>
    private const int DefaultLineBytesMax = 144 * 1024 * 1024;

    private const int DefaultBlockBytes = 1024 * 1024;
    private const byte LineFeed = (byte)'\n';

    private byte[] _buffer = new byte[blockBytes];
    private int _start;
    private int _searched;
    private int _end;
    private bool _ended;

    /// <summary>The number of the line handed out last, from 1.</summary>
    public long LineNumber { get; private set; }

    /// <summary>Takes the next line out of what was read. It is valid until <see cref="FillAsync"/>.</summary>
    /// <returns>False: read more first.</returns>
    public bool TryRead(out ReadOnlySpan<byte> line)
    {
        var length = _buffer.AsSpan(_searched, _end - _searched).IndexOf(LineFeed);
        if (length >= 0) return HandOut(_searched + length, 1, out line);
        if (_ended && _start < _end) return HandOut(_end, 0, out line);
        _searched = _end;
        line = default;
        return false;
    }

    /// <summary>Reads more. Cancelling leaves a read behind that may never end: the reader is then of no more use.</summary>
    /// <returns>False: the input has ended, and all its lines were handed out.</returns>
    /// <exception cref="CommandException">A line is too long.</exception>
    public async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_ended) return _start < _end;
        MakeRoom();
        var (buffer, end) = (_buffer, _end);
        var read = await Task.Run(() => source.Read(buffer, end, buffer.Length - end), CancellationToken.None).WaitAsync(cancellationToken);
        _ended = read == 0;
        _end += read;
        return _start < _end;
    }

    private bool HandOut(int end, int separator, out ReadOnlySpan<byte> line)
    {
        line = _buffer.AsSpan(_start, end - _start);
        _start = _searched = end + separator;
        LineNumber++;
        return true;
    }

    private void MakeRoom()
    {
        var kept = _end - _start;
        if (kept > lineBytesMax) throw new CommandException($"line {LineNumber + 1} is longer than {lineBytesMax} bytes, more than a record can hold.");
        var target = kept > _buffer.Length / 2 ? new byte[_buffer.Length * 2] : _buffer;
        _buffer.AsSpan(_start, kept).CopyTo(target);
        (_buffer, _searched, _start, _end) = (target, _searched - _start, 0, kept);
    }
}
