using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OrleansLog.Benchmarks.Tiered;

/// <summary>A directory as the store: its files by plain reads.</summary>
internal sealed partial class DirectoryReader(string directory) : IStoreReader
{
    private const int BlockBytes = 1 << 20;
    private const int DontNeed = 4; // POSIX_FADV_DONTNEED

    public string Name => "the store's files, by plain reads";

    public string[] SiloArguments => ["--config", $"remote.storage.directory={directory}"];

    public long ReadAll()
    {
        var block = new byte[BlockBytes];
        var total = 0L;
        foreach (var path in Segments())
        {
            using var file = File.OpenHandle(path);
            var position = 0L;
            for (int read; (read = RandomAccess.Read(file, block, position)) > 0;)
            {
                position += read;
            }

            total += position;
        }

        return total;
    }

    public void Forget()
    {
        foreach (var path in Segments())
        {
            using var file = File.OpenHandle(path, access: FileAccess.ReadWrite);
            RandomAccess.FlushToDisk(file);
            _ = Advise(file, 0, 0, DontNeed);
        }
    }

    public void Dispose()
    {
    }

    private IEnumerable<string> Segments() => Directory.EnumerateFiles(directory, "*.log", SearchOption.AllDirectories).Order(StringComparer.Ordinal);

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(SafeFileHandle file, long offset, long length, int advice);
}
