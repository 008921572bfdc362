using System.Buffers;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using OrleansLog.Broker.Files;
using OrleansLog.Storage;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Broker.Tiering;

/// <summary>
/// A directory as a remote store: on a disk of its own, or a network file system that all brokers reach. An object appears
/// whole, by a rename after its bytes were flushed; the version of a document is the hash of its bytes. Any thread, any process.
/// </summary>
public sealed class DirectoryRemoteStore : IRemoteStore, IDisposable
{
    private const int BlockBytes = 1 << 20;
    private const int ReadersMax = 4;
    private const string TemporarySuffix = ".tmp";
    private const string LockName = ".lock";
    private const string MarkName = ".orleanslog-store";
    private static readonly TimeSpan LockRetry = TimeSpan.FromMilliseconds(20);

    private readonly ILogFileSystem _files;
    private readonly string _root;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly DiskThreads _readers = new(ReadersMax, "remote store");

    /// <param name="files">The disk.</param>
    /// <param name="directory">The directory; made where it is missing.</param>
    /// <exception cref="IOException">It cannot be made, or holds something else.</exception>
    public DirectoryRemoteStore(ILogFileSystem files, string directory)
    {
        _files = files;
        _root = Path.GetFullPath(directory);
        files.CreateDirectory(_root);
        if (File.Exists(MarkPath))
            return;
        if (files.List(_root).Count > 0)
            throw new IOException($"{_root} is to be the remote store, and holds something else. Choose an empty directory, or one that was a store before.");
        File.WriteAllText(MarkPath, "A remote store of OrleansLog. Without this file nothing is read from here or written.\n");
    }

    private string MarkPath => Path.Combine(_root, MarkName);

    public async Task WriteAsync(string name, Stream content, CancellationToken cancellationToken)
    {
        var path = PathFor(name);
        using (var file = _files.Open(path + TemporarySuffix, create: true))
        {
            file.Truncate(0);
            await CopyAsync(content, file, cancellationToken);
            await file.FlushAsync();
        }

        await AppearAsync(path);
    }

    public async Task<int> ReadAsync(string name, long position, Memory<byte> destination, CancellationToken cancellationToken)
    {
        var reading = new Reading(this, name, position, destination);
        await _readers.Run(reading);
        return reading.BytesRead;
    }

    public async Task<RemoteDocument?> ReadDocumentAsync(string name, CancellationToken cancellationToken)
    {
        var path = PathOf(name);
        if (!File.Exists(path))
            return null;
        var content = await File.ReadAllBytesAsync(path, cancellationToken);
        return new RemoteDocument(content, TagOf(content));
    }

    public async Task<string?> WriteDocumentAsync(string name, ReadOnlyMemory<byte> content, string? expectedTag, CancellationToken cancellationToken)
    {
        var path = PathFor(name);
        await _turn.WaitAsync(cancellationToken);
        try
        {
            await using var others = await LockAsync(Path.GetDirectoryName(path)!, cancellationToken);
            if ((await ReadDocumentAsync(name, cancellationToken))?.Tag != expectedTag)
                return null;
            using (var file = _files.Open(path + TemporarySuffix, create: true))
            {
                file.Truncate(0);
                file.Write(0, content.Span);
                await file.FlushAsync();
            }
            await AppearAsync(path);
            return TagOf(content.Span);
        }
        finally
        {
            _turn.Release();
        }
    }

    public Task DeleteAsync(string name, CancellationToken cancellationToken)
    {
        _files.Delete(PathOf(name));
        return Task.CompletedTask;
    }

    public async IAsyncEnumerable<RemoteObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        var folder = Path.GetDirectoryName(PathOf(prefix + "x"))!;
        if (!Directory.Exists(folder))
            yield break;
        foreach (var file in new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).ToList())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var name = Path.GetRelativePath(_root, file.FullName).Replace(Path.DirectorySeparatorChar, '/');
            if (name.StartsWith(prefix, StringComparison.Ordinal) && file.Name != LockName)
                yield return new RemoteObject(name, file.Length, file.LastWriteTimeUtc);
        }
    }

    public void Dispose()
    {
        _turn.Dispose();
        _readers.Dispose();
    }

    private static async Task CopyAsync(Stream content, ILogFile destination, CancellationToken cancellationToken)
    {
        var block = ArrayPool<byte>.Shared.Rent(BlockBytes);
        for (long copied = 0; copied < content.Length;)
        {
            var read = await content.ReadAsync(block.AsMemory(0, (int)Math.Min(block.Length, content.Length - copied)), cancellationToken);
            if (read == 0)
                throw new EndOfStreamException($"What was to be stored as {destination.Path} ends at {copied}, and should have {content.Length} bytes.");
            destination.Write(copied, block.AsSpan(0, read));
            copied += read;
        }
        ArrayPool<byte>.Shared.Return(block);
    }

    private async Task AppearAsync(string path)
    {
        _files.Rename(path + TemporarySuffix, path);
        await _files.FlushDirectoryAsync(Path.GetDirectoryName(path)!);
    }

    // Other processes write documents too: one at a time in a folder.
    private static async Task<FileStream> LockAsync(string folder, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return new FileStream(Path.Combine(folder, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (File.Exists(Path.Combine(folder, LockName)))
            {
                await Task.Delay(LockRetry, cancellationToken);
            }
        }
    }

    private ILogFile OpenExisting(string name)
    {
        var path = PathOf(name);
        return File.Exists(path) ? _files.Open(path, create: false) : throw new RemoteObjectMissingException(name);
    }

    private string PathFor(string name)
    {
        var path = PathOf(name);
        _files.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    // A directory that is not mounted at the moment looks like an empty one, and must not be taken for it.
    private string PathOf(string name) => File.Exists(MarkPath)
        ? Path.Combine(_root, name)
        : throw new IOException($"{_root}, the remote store, is not there. Is it mounted? Nothing is lost; what is in it cannot be read until it is back.");

    private static string TagOf(ReadOnlySpan<byte> content) => Convert.ToHexString(SHA256.HashData(content));

    // A file is read at once, on a network at that, and whoever asks is answering somebody.
    private sealed class Reading(DirectoryRemoteStore store, string name, long position, Memory<byte> destination) : IDiskWork
    {
        public int BytesRead { get; private set; }

        public void Run()
        {
            using var file = store.OpenExisting(name);
            while (BytesRead < destination.Length)
            {
                var read = file.Read(position + BytesRead, destination.Span[BytesRead..]);
                if (read == 0)
                    break;
                BytesRead += read;
            }
        }
    }
}
