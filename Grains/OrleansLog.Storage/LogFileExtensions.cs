namespace OrleansLog.Storage;

/// <summary>Whole reads over the short ones that files may answer with.</summary>
internal static class LogFileExtensions
{
    /// <summary>Reads until <paramref name="destination"/> is full or the file ends; returns the bytes read.</summary>
    public static int ReadFully(this ILogFile file, long position, Span<byte> destination)
    {
        var total = 0;
        while (total < destination.Length)
        {
            var read = file.Read(position + total, destination[total..]);
            if (read == 0) break;
            total += read;
        }

        return total;
    }

    /// <summary>Fills <paramref name="destination"/>.</summary>
    /// <exception cref="StorageException">The file ends before.</exception>
    public static void ReadExactly(this ILogFile file, long position, Span<byte> destination)
    {
        var read = file.ReadFully(position, destination);
        if (read < destination.Length)
            throw new StorageException($"{file.Path} ends at {position + read}; bytes up to {position + destination.Length} were asked for");
    }
}
