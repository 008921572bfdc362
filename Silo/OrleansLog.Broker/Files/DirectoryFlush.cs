namespace OrleansLog.Broker.Files;

/// <summary>fsync(2) of a directory: makes the names in it durable.</summary>
internal sealed class DirectoryFlush(string directory) : IDiskWork
{
    public void Run()
    {
        var descriptor = LibC.Open(directory, LibC.ReadOnly | LibC.CloseOnExec);
        if (descriptor < 0) throw LibC.Failure("open", directory);
        try
        {
            if (LibC.Fsync(descriptor) != 0) throw LibC.Failure("fsync", directory);
        }
        finally
        {
            _ = LibC.Close(descriptor);
        }
    }
}
