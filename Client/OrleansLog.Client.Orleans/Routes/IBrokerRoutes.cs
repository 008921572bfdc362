using OrleansLog.Protocol;

namespace OrleansLog.Client.Orleans.Routes;

/// <summary>The ways to the brokers' grains. Any thread.</summary>
internal interface IBrokerRoutes : IAsyncDisposable
{
    /// <summary>The way to a broker; for <see cref="BrokerId.None"/> to whichever can be reached with the least effort.</summary>
    /// <exception cref="OrleansLogException">The broker, or any broker, cannot be reached at this moment.</exception>
    ValueTask<BrokerRoute> FindAsync(BrokerId broker);
}

/// <summary>A way to the grains of one broker.</summary>
/// <param name="Broker">The broker.</param>
/// <param name="Grains">Makes references to its grains.</param>
/// <param name="Lost">Cancelled when the way is lost: calls under way will not be answered.</param>
internal sealed record BrokerRoute(BrokerId Broker, IGrainFactory Grains, CancellationToken Lost);
