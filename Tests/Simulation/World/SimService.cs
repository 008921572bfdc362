using OrleansLog.Simulation.Running;

namespace OrleansLog.Simulation.World;

/// <summary>How a service serves. May change during a run.</summary>
public sealed class ServiceFaults
{
    public (long Min, long Max) DelayUs { get; set; } = (200, 2_000);

    /// <summary>How often a call fails and has no effect.</summary>
    public double Fails { get; set; }

    /// <summary>How often a write takes effect and its answer is lost.</summary>
    public double LosesReply { get; set; }

    /// <summary>How often a write fails for its caller, and takes effect later all the same.</summary>
    public double AppliesLate { get; set; }
}

/// <summary>Calls over a network to something that serves one at a time: they take a while, and fail in all ways.</summary>
/// <param name="scheduler">Time and order.</param>
/// <param name="random">Chance.</param>
/// <param name="name">What does not answer, when it does not.</param>
internal sealed class SimService(SimScheduler scheduler, SimRandom random, string name)
{
    public ServiceFaults Faults { get; set; } = new();

    /// <summary>Whether it cannot be reached at all.</summary>
    public bool IsAway { get; set; }

    public Task<T> Call<T>(Func<T> operation, bool isWrite, Func<bool> mayApplyLate, CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        cancellationToken.UnsafeRegister(static source => ((TaskCompletionSource<T>)source!).TrySetCanceled(), done);
        scheduler.After(DelayUs(), () => Serve(operation, isWrite, mayApplyLate, done));
        return done.Task;
    }

    private void Serve<T>(Func<T> operation, bool isWrite, Func<bool> mayApplyLate, TaskCompletionSource<T> done)
    {
        if (IsAway || random.Chance(Faults.Fails))
        {
            Fail(done);
        }
        else if (isWrite && random.Chance(Faults.AppliesLate))
        {
            Fail(done);
            scheduler.After(DelayUs() * 20, () =>
            {
                if (mayApplyLate()) operation();
            });
        }
        else
        {
            var result = operation();
            if (isWrite && random.Chance(Faults.LosesReply)) Fail(done);
            else scheduler.After(DelayUs(), () => done.TrySetResult(result));
        }
    }

    private void Fail<T>(TaskCompletionSource<T> done) =>
        scheduler.After(DelayUs(), () => done.TrySetException(new IOException($"The {name} does not answer")));

    private long DelayUs() => random.Between(Faults.DelayUs.Min, Faults.DelayUs.Max);
}
