using System.Globalization;
using OrleansLog.Cli.Formats;
using OrleansLog.Cli.Output;
using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary>
/// The files of one partition, <c>FIRST-LAST.jsonl</c>: a file gets its name when it is whole, so that what has one is not written
/// again. One thread at a time.
/// </summary>
/// <param name="directory">Where they are.</param>
/// <param name="bytesMax">How many bytes a file has when the next one begins; the last record may go beyond.</param>
internal sealed class ExportFiles(string directory, long bytesMax) : IDisposable
{
    private const string Suffix = ".jsonl";
    private const string Unfinished = "unfinished";

    private readonly JsonWriter _writer = new();
    private FileStream? _stream;
    private RecordOutput? _output;
    private Offset _first;
    private int _files;

    private string UnfinishedPath => Path.Combine(directory, Unfinished);

    /// <summary>Where to go on: after the files that follow one another from an offset on.</summary>
    public Offset Resume(Offset from)
    {
        Directory.CreateDirectory(directory);
        foreach (var (first, last) in Directory.EnumerateFiles(directory, "*" + Suffix).Select(Parse).OfType<(Offset First, Offset Last)>().OrderBy(range => range.First))
            if (first <= from && last >= from) from = last + 1L;
        return _first = from;
    }

    /// <summary>Writes the records of a batch that lie before an offset.</summary>
    public void Write(FetchedBatch batch, Offset until, Progress progress)
    {
        foreach (var record in batch)
        {
            if (record.Offset >= until) return;
            var output = _output ??= Open();
            var before = output.TotalBytes;
            _writer.Write(record, batch.Partition, output);
            progress.Add(1, output.TotalBytes - before);
            if (output.TotalBytes >= bytesMax) Finish(record.Offset + 1L);
        }
    }

    /// <summary>All before an offset is written.</summary>
    /// <returns>How many files there are more than before.</returns>
    public int End(Offset until)
    {
        if (_output is not null) Finish(until);
        return _files;
    }

    /// <summary>Drops what has not become a file.</summary>
    public void Dispose()
    {
        if (_stream is null) return;
        _stream.Dispose();
        File.Delete(UnfinishedPath);
    }

    private RecordOutput Open()
    {
        _stream = new FileStream(UnfinishedPath, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        return new RecordOutput(_stream);
    }

    private void Finish(Offset next)
    {
        _output!.Flush();
        _stream!.Flush(flushToDisk: true);
        _stream.Dispose();
        File.Move(UnfinishedPath, Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"{_first.Value:D20}-{next.Value - 1:D20}{Suffix}")), overwrite: true);
        (_stream, _output, _first) = (null, null, next);
        _files++;
    }

    private static (Offset, Offset)? Parse(string path)
    {
        var parts = Path.GetFileNameWithoutExtension(path).Split('-');
        return parts.Length == 2
            && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var last)
            ? (new(first), new(last))
            : null;
    }
}
