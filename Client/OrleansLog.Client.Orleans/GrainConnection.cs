using Microsoft.Extensions.Logging;
using OrleansLog.Client.Metadata;
using OrleansLog.Client.Orleans.Routes;
using OrleansLog.Client.Transport;
using OrleansLog.Grains;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Client.Orleans;

/// <summary>
/// One line of requests to one broker. Calls are numbered, so that the broker starts them in order although Orleans brings
/// them in any. It is given up as a whole when a call fails, when an answer is overdue, or when the way to the broker is
/// lost: everything that waits then fails with <see cref="ErrorCode.NetworkException"/> or
/// <see cref="ErrorCode.RequestTimedOut"/>. Any thread.
/// </summary>
internal sealed class GrainConnection
{
    private const int TimeoutCheckMs = 500;

    /// <summary>Grains that nobody calls for a quarter of an hour are put away; a line is not used for longer than that.</summary>
    private static readonly TimeSpan IdleMax = TimeSpan.FromMinutes(10);

    private readonly Lock _gate = new();
    private readonly HashSet<PendingResponse> _underWay = [];
    private readonly Queue<GrainCall> _waiting = new();
    private readonly BrokerRoute _route;
    private readonly IConnectionGrain _grain;
    private readonly IControllerGrain _controller;
    private readonly GrainCallLimits _limits;
    private readonly ClientOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ITimer _timeoutTimer;
    private readonly CancellationTokenRegistration _onLost;
    private OrleansLogException? _closedBy;
    private Task _closing = Task.CompletedTask;
    private long _nextNumber;
    private int _lastCorrelationId;
    private long _lastUse;

    private GrainConnection(BrokerRoute route, GrainCallLimits limits, ClientOptions options, TimeProvider time, ILogger logger)
    {
        (_route, _limits, _options, _time, _logger) = (route, limits, options, time, logger);
        _grain = route.Grains.GetGrain<IConnectionGrain>(GrainKeys.Of(Guid.NewGuid(), route.Broker));
        _controller = route.Grains.GetGrain<IControllerGrain>(0);
        _lastUse = time.GetTimestamp();
        var period = TimeSpan.FromMilliseconds(TimeoutCheckMs);
        _timeoutTimer = time.CreateTimer(static state => ((GrainConnection)state!).CheckTimeouts(), this, period, period);
        _onLost = route.Lost.UnsafeRegister(
            static state => ((GrainConnection)state!).Close(ErrorCode.NetworkException, "the connection to its silo broke", null), this);
    }

    /// <summary>Whether it can be used (any more).</summary>
    public bool IsOpen
    {
        get
        {
            lock (_gate) return _closedBy is null && (_underWay.Count > 0 || _time.GetElapsedTime(_lastUse) < IdleMax);
        }
    }

    public VersionTable Versions { get; private set; } = VersionTable.ForHandshake;

    private string Name => $"broker {_route.Broker}";

    public static async Task<GrainConnection> OpenAsync(BrokerRoute route, GrainCallLimits limits, ClientOptions options, TimeProvider time, ILogger logger)
    {
        var connection = new GrainConnection(route, limits, options, time, logger);
        try
        {
            connection.Versions = await Handshake.NegotiateAsync(request => connection.SendAsync(request, default), connection.Name);
            return connection;
        }
        catch
        {
            await connection.CloseAsync();
            throw;
        }
    }

    /// <summary>Sends a request; the task completes with its answer.</summary>
    public async ValueTask<ResponseFrame> SendAsync(OutgoingRequest request, CancellationToken cancellationToken)
    {
        var version = Versions.Pick(request, Name);
        var nowMs = _time.MonotonicMs();
        var response = new PendingResponse(
            request, Interlocked.Increment(ref _lastCorrelationId), version, nowMs + request.PatienceMs, nowMs + _options.RequestTimeoutMs + request.HoldMsMax);
        Enqueue(new GrainCall(response, Write(request, response)));
        if (!cancellationToken.CanBeCanceled) return await response.Task;
        using var registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((PendingResponse)state!).TryCancel(token), response);
        return await response.Task;
    }

    /// <summary>Ends the line, and tells the broker so; what waits fails.</summary>
    public Task CloseAsync()
    {
        Close(ErrorCode.NetworkException, "the client closed it", null);
        lock (_gate) return _closing;
    }

    // The bytes are the broker's to keep and to write offsets into, and a call that was given up may still be on its way: the
    // request gets memory of its own.
    private byte[] Write(OutgoingRequest request, PendingResponse response)
    {
        using var frame = new FrameBuilder();
        var writer = new WireWriter(frame);
        new RequestHeader(request.Api, response.Version, response.CorrelationId, _options.ClientId).Write(ref writer);
        writer.Flush();
        request.WriteBody(response.Version, frame);
        return frame.Length <= _limits.MessageBytesMax ? frame.ToArray() : throw new OrleansLogException(ErrorCode.MessageTooLarge,
            $"A {request.Api} request of {frame.Length} bytes is more than the {_limits.MessageBytesMax} that a grain call may carry. Send less at a time, or raise MaxMessageBodySize of the Orleans client and of every silo.");
    }

    private void Enqueue(GrainCall call)
    {
        long number;
        lock (_gate)
        {
            if (_closedBy is { } error) throw error;
            if (_underWay.Count >= GrainCallLimits.CallsMax)
            {
                _waiting.Enqueue(call);
                return;
            }
            number = Begin(call);
        }
        Start(call, number);
    }

    private long Begin(GrainCall call)
    {
        _underWay.Add(call.Response);
        _lastUse = _time.GetTimestamp();
        return call.IsForController ? -1 : _nextNumber++;
    }

    // Not in the turn of a grain that asks: its activation may end before the call does.
    private void Start(GrainCall call, long number)
    {
        if (TaskScheduler.Current == TaskScheduler.Default) _ = CallAsync(call, number);
        else _ = Task.Run(() => CallAsync(call, number));
    }

    private async Task CallAsync(GrainCall call, long number)
    {
        try
        {
            var answer = call.IsForController ? _controller.HandleAsync(call.Request, CancellationToken.None) : _grain.HandleAsync(number, call.Request);
            call.Response.TryComplete(call.ReadAnswer(await answer));
        }
        catch (Exception failed)
        {
            Fail(call, failed);
        }
        End(call);
    }

    private void Fail(GrainCall call, Exception failed)
    {
        var code = GrainFailures.CodeOf(failed);
        // Nobody is told what becomes of a request without an answer, over the wire as here.
        if (!call.Response.ExpectsResponse) call.Response.TryComplete(ResponseFrame.None);
        if (call.IsForController) call.Response.TryFail(new OrleansLogException(code, $"The controller gave no answer: {failed.Message}", failed));
        else Close(code, failed.Message, failed);
    }

    private void End(GrainCall call)
    {
        GrainCall? next;
        var number = -1L;
        lock (_gate)
        {
            _underWay.Remove(call.Response);
            while (_waiting.TryDequeue(out next) && next.Response.Task.IsCompleted)
            {
                // Whoever asked has stopped waiting.
            }
            if (next is not null) number = Begin(next);
        }
        if (next is not null) Start(next, number);
    }

    private void CheckTimeouts()
    {
        var nowMs = _time.MonotonicMs();
        lock (_gate)
        {
            if (_underWay.All(response => response.DueMs > nowMs)) return;
        }
        Close(ErrorCode.RequestTimedOut, $"a request was not answered within {_options.RequestTimeoutMs} ms", null);
    }

    private void Close(ErrorCode code, string reason, Exception? cause)
    {
        List<PendingResponse> failed;
        lock (_gate)
        {
            if (_closedBy is not null) return;
            _closedBy = Failure(code, reason, cause);
            failed = [.. _underWay, .. _waiting.Select(call => call.Response)];
            _underWay.Clear();
            _waiting.Clear();
            _closing = Task.Run(TellBrokerAsync);
        }
        _timeoutTimer.Dispose();
        _onLost.Unregister();
        if (failed.Count > 0 && cause is not null) _logger.LogWarning("{Reason} {Count} requests failed.", _closedBy.Message, failed.Count);
        foreach (var response in failed) response.TryFail(Failure(code, reason, cause));
    }

    private async Task TellBrokerAsync()
    {
        if (_route.Lost.IsCancellationRequested) return;
        try
        {
            await _grain.CloseAsync();
        }
        catch (Exception failed)
        {
            _logger.LogDebug(failed, "{Broker} was not told that a line of requests has ended; it will put it away by itself.", Name);
        }
    }

    private OrleansLogException Failure(ErrorCode code, string reason, Exception? cause) =>
        new(code, $"The line of requests to {Name} ended: {reason.TrimEnd('.')}.", cause);
}
