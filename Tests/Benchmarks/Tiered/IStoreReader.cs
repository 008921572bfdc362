namespace OrleansLog.Benchmarks.Tiered;

/// <summary>A remote store read without any broker: what it gives at best.</summary>
internal interface IStoreReader : IDisposable
{
    string Name { get; }

    /// <summary>The arguments and the environment with which a broker uses it.</summary>
    string[] SiloArguments { get; }

    /// <summary>Reads all segments, one after the other, and throws them away.</summary>
    /// <returns>How many bytes there were.</returns>
    long ReadAll();

    /// <summary>Lets the machine forget what it has read of them, as far as it can be told to.</summary>
    void Forget();
}
