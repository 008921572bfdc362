using OrleansLog.Replication.Metadata;
using OrleansLog.Storage;

namespace OrleansLog.Broker.Metadata;

/// <summary>
/// The register of an embedded cluster: one file a document, replaced by an atomic rename after both the file and its
/// directory were flushed. All documents are small and are held in memory; versions count within this process, which
/// the lock on the data directory makes the only writer.
/// </summary>
public sealed class FileMetadataRegister : IMetadataRegister, IDisposable
{
    private const string Extension = ".json";
    private const string Temporary = ".tmp";

    private readonly ILogFileSystem _files;
    private readonly string _directory;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly SortedDictionary<string, RegisterEntry> _entries = new(StringComparer.Ordinal);
    private long _lastVersion;

    private FileMetadataRegister(ILogFileSystem files, string directory)
    {
        _files = files;
        _directory = directory;
    }

    /// <summary>Reads every document below <paramref name="directory"/>, which is made where it is missing.</summary>
    public static FileMetadataRegister Open(ILogFileSystem files, string directory)
    {
        var register = new FileMetadataRegister(files, directory);
        files.CreateDirectory(directory);
        register.Load("");
        return register;
    }

    public async ValueTask<RegisterEntry?> GetAsync(string key, CancellationToken cancellationToken)
    {
        using var turn = await TakeTurnAsync(cancellationToken);
        return _entries.GetValueOrDefault(key);
    }

    public async ValueTask<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        using var turn = await TakeTurnAsync(cancellationToken);
        return [.. _entries.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal))];
    }

    public async ValueTask<RegisterVersion?> PutAsync(
        string key, ReadOnlyMemory<byte> document, RegisterVersion? expected, CancellationToken cancellationToken)
    {
        using var turn = await TakeTurnAsync(cancellationToken);
        if (_entries.GetValueOrDefault(key)?.Version != expected)
            return null;
        await WriteAsync(key, document);
        var entry = new RegisterEntry(document, new RegisterVersion(++_lastVersion));
        _entries[key] = entry;
        return entry.Version;
    }

    public async ValueTask<bool> DeleteAsync(string key, RegisterVersion expected, CancellationToken cancellationToken)
    {
        using var turn = await TakeTurnAsync(cancellationToken);
        if (_entries.GetValueOrDefault(key)?.Version != expected)
            return false;
        _files.Delete(PathOf(key));
        await _files.FlushDirectoryAsync(Path.GetDirectoryName(PathOf(key))!);
        _entries.Remove(key);
        return true;
    }

    public void Dispose() => _turn.Dispose();

    private async ValueTask<Turn> TakeTurnAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        return new Turn(_turn);
    }

    private void Load(string prefix)
    {
        foreach (var entry in _files.List(Path.Combine(_directory, prefix)))
        {
            var key = prefix + entry.Name;
            if (entry.IsDirectory)
                Load(key + "/");
            else if (key.EndsWith(Extension, StringComparison.Ordinal))
                _entries.Add(key[..^Extension.Length], new RegisterEntry(Read(key, entry.Length), new RegisterVersion(++_lastVersion)));
        }
    }

    private byte[] Read(string name, long length)
    {
        using var file = _files.Open(Path.Combine(_directory, name), create: false);
        var document = new byte[length];
        new LogSlice(file, 0, document.Length).Read(document);
        return document;
    }

    private async ValueTask WriteAsync(string key, ReadOnlyMemory<byte> document)
    {
        var path = PathOf(key);
        var parent = Path.GetDirectoryName(path)!;
        if (_files.CreateDirectory(parent))
            await _files.FlushDirectoryAsync(_directory);
        using (var file = _files.Open(path + Temporary, create: true))
        {
            file.Truncate(0);
            file.Write(0, document.Span);
            await file.FlushAsync();
        }
        _files.Rename(path + Temporary, path);
        await _files.FlushDirectoryAsync(parent);
    }

    private string PathOf(string key) => Path.Combine(_directory, key + Extension);

    private readonly struct Turn(SemaphoreSlim turn) : IDisposable
    {
        public void Dispose() => turn.Release();
    }
}
