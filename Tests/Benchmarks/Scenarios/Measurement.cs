namespace OrleansLog.Benchmarks.Scenarios;

/// <summary>One round of one broker.</summary>
/// <param name="Broker">Its name.</param>
/// <param name="IsOurs">Whether it is the broker under test.</param>
/// <param name="Records">Records acknowledged or received.</param>
/// <param name="Seconds">How long that took.</param>
/// <param name="BrokerCpuSeconds">CPU time of the broker's processes meanwhile; not a number when they are not known.</param>
/// <param name="ClientCpuSeconds">CPU time of this process meanwhile.</param>
internal sealed record Measurement(
    string Broker, bool IsOurs, long Records, double Seconds, double BrokerCpuSeconds, double ClientCpuSeconds)
{
    public double RecordsPerSecond => Records / Seconds;

    public double BrokerMicrosecondsPerRecord => BrokerCpuSeconds * 1e6 / Records;

    public double ClientMicrosecondsPerRecord => ClientCpuSeconds * 1e6 / Records;
}
