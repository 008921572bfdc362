using OrleansLog.Protocol.Wire;

namespace OrleansLog.Client.Transport;

/// <summary>A request that was sent, or is about to be, and waits for its answer.</summary>
internal sealed class PendingResponse(OutgoingRequest request, int correlationId, short version, long suspectMs, long dueMs)
{
    private readonly TaskCompletionSource<ResponseFrame> _completion =
        new(request.MayContinueInline ? TaskCreationOptions.None : TaskCreationOptions.RunContinuationsAsynchronously);

    public int CorrelationId => correlationId;
    public ApiKey Api => request.Api;
    public short Version => version;
    public bool ExpectsResponse => request.ExpectsResponse;

    /// <summary>When an answer is so late that the broker may hang, on the connection's clock.</summary>
    public long SuspectMs => suspectMs;

    /// <summary>When its connection is given up, on the connection's clock.</summary>
    public long DueMs => dueMs;

    public Task<ResponseFrame> Task => _completion.Task;

    /// <summary>Hands the answer to whoever waits; an answer that nobody waits for any more is dropped.</summary>
    public void TryComplete(ResponseFrame frame)
    {
        if (!_completion.TrySetResult(frame)) frame.Dispose();
    }

    public void TryFail(Exception error) => _completion.TrySetException(error);

    public void TryCancel(CancellationToken cancellationToken) => _completion.TrySetCanceled(cancellationToken);
}
