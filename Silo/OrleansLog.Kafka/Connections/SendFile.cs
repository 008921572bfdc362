using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OrleansLog.Kafka.Connections;

/// <summary>
/// sendfile(2): the kernel moves bytes of a file to a socket without a copy through this process. Linux only; elsewhere
/// <see cref="IsSupported"/> says no and the caller copies.
/// </summary>
internal static partial class SendFile
{
    private const int WouldBlock = 11;
    private const int Interrupted = 4;

    public static bool IsSupported { get; } = OperatingSystem.IsLinux();

    /// <summary>
    /// Sends up to <paramref name="count"/> bytes of the file from <paramref name="position"/> on; answers how many
    /// went, 0 when the socket takes none at the moment.
    /// </summary>
    /// <exception cref="SocketException">The connection is gone.</exception>
    public static int TrySend(SafeSocketHandle socket, SafeFileHandle file, long position, int count)
    {
        while (true)
        {
            var sent = Native(socket, file, ref position, count);
            if (sent > 0)
                return (int)sent;
            if (sent == 0)
                throw new EndOfStreamException($"The file ends before byte {position}, which was to be sent.");
            var error = Marshal.GetLastPInvokeError();
            if (error == WouldBlock)
                return 0;
            if (error != Interrupted)
                throw new SocketException(error);
        }
    }

    [LibraryImport("libc", EntryPoint = "sendfile", SetLastError = true)]
    private static partial nint Native(SafeSocketHandle socket, SafeFileHandle file, ref long position, nint count);
}
