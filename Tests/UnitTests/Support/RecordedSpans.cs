using System.Collections.Concurrent;
using System.Diagnostics;

namespace OrleansLog.UnitTests.Support;

/// <summary>The finished spans of traces that a test begins. Others of the process are left out: listeners see all of it.</summary>
internal sealed class RecordedSpans : IDisposable
{
    private readonly ConcurrentQueue<Activity> _stopped = [];
    private readonly ActivityTraceId _trace = ActivityTraceId.CreateRandom();
    private readonly ActivityListener _listener;

    /// <param name="sources">How the names of their sources begin.</param>
    public RecordedSpans(params string[] sources)
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => sources.Any(name => source.Name.StartsWith(name, StringComparison.Ordinal)),
            Sample = (ref ActivityCreationOptions<ActivityContext> options) =>
                options.TraceId == _trace ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
            ActivityStopped = _stopped.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public IReadOnlyList<Activity> All => [.. _stopped.Where(span => span.TraceId == _trace)];

    /// <summary>Makes an application's span the current one, to be disposed: what is done meanwhile belongs to the trace.</summary>
    public Activity Begin()
    {
        var application = new Activity("application");
        application.SetParentId(_trace, ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded);
        return application.Start();
    }

    /// <summary>The spans of one operation, say <c>append</c>.</summary>
    public List<Activity> Of(string operation) => [.. All.Where(span => span.DisplayName.StartsWith(operation + " ", StringComparison.Ordinal))];

    public void Dispose() => _listener.Dispose();
}
