using OrleansLog.Client;

namespace OrleansLog.ClusterTests.Processes;

/// <summary>Clients that are busy with a cluster while faults happen to it, and what they saw.</summary>
internal interface IWorkload : IAsyncDisposable
{
    /// <summary>The topics that must be whole again before the next fault.</summary>
    IReadOnlyList<NewTopic> Topics { get; }

    /// <summary>Begins, on some clients of the cluster that take turns.</summary>
    void Start(IReadOnlyList<OrleansLogClient> clients);

    /// <summary>What has come about since a moment, where the least has: records, say.</summary>
    int FewestSince(DateTimeOffset moment);

    /// <summary>The longest that nothing came about somewhere between two moments, in ms.</summary>
    long LongestGap(DateTimeOffset from, DateTimeOffset to);

    /// <summary>Where it stands, for whoever wonders why it does not go on.</summary>
    string Describe(DateTimeOffset since);

    /// <summary>Ends it, and says what is wrong with what it saw.</summary>
    /// <param name="output">Takes a summary.</param>
    Task<IReadOnlyList<string>> JudgeAsync(ITestOutputHelper output);
}
