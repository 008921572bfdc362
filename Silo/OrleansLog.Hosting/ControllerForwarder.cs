using OrleansLog.Grains;
using OrleansLog.Kafka.Requests;
using OrleansLog.Protocol;

namespace OrleansLog.Hosting;

/// <summary>Sends what changes topics to the controller's grain.</summary>
internal sealed class ControllerForwarder(LocalBroker local, IGrainFactory grains) : IRequestForwarder
{
    private readonly IControllerGrain _controller = grains.GetGrain<IControllerGrain>(0);

    public bool Forwards => local.Controller is var controller && controller != BrokerId.None && controller != local.Id;

    public async ValueTask<ReadOnlyMemory<byte>> ForwardAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        try
        {
            return (await _controller.HandleAsync(request, cancellationToken)).Bytes;
        }
        catch (Exception failed) when (failed is not OperationCanceledException)
        {
            throw new IOException($"The controller gave no answer: {failed.Message}", failed);
        }
    }
}
