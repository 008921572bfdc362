using System.Collections.Concurrent;
using System.Threading.Channels;
using Orleans.Providers.Streams.Common;
using Orleans.Runtime;
using Orleans.Streams;
using Orleans.Streams.Core;

namespace OrleansLog.ClusterTests.Streams;

/// <summary>An event as a subscriber got it.</summary>
internal readonly record struct Seen(object Event, long Offset, int Index);

/// <summary>What the subscribers of this process got, by the key of the stream. The silos are in this process too.</summary>
internal static class Received
{
    private static readonly ConcurrentDictionary<string, Channel<Seen>> ByStream = [];

    /// <summary>Streams whose subscribers fail at every event.</summary>
    public static ConcurrentDictionary<string, bool> Refusing { get; } = [];

    public static void Add(string stream, object item, StreamSequenceToken? token)
    {
        if (Refusing.ContainsKey(stream)) throw new InvalidOperationException("This subscriber takes no events.");
        Of(stream).Writer.TryWrite(new Seen(item, token!.SequenceNumber, token.EventIndex));
    }

    public static async Task<List<Seen>> TakeAsync(string stream, int count)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        List<Seen> taken = [];
        while (taken.Count < count) taken.Add(await Of(stream).Reader.ReadAsync(patience.Token));
        return taken;
    }

    public static bool HasMore(string stream) => Of(stream).Reader.TryPeek(out _);

    private static Channel<Seen> Of(string stream) => ByStream.GetOrAdd(stream, _ => Channel.CreateUnbounded<Seen>());
}

/// <summary>Publishes and subscribes, as an application's grains do.</summary>
public interface IReaderGrain : IGrainWithStringKey
{
    /// <param name="provider">The stream provider.</param>
    /// <param name="offset">Where to begin; with the next event if null.</param>
    /// <param name="index">The event in the record.</param>
    Task SubscribeAsync(string provider, long? offset = null, int index = 0);

    Task PublishAsync(string provider, string stream, string[] events);
}

/// <inheritdoc cref="IReaderGrain"/>
public sealed class ReaderGrain : Grain, IReaderGrain
{
    public async Task SubscribeAsync(string provider, long? offset, int index)
    {
        var key = this.GetPrimaryKeyString();
        var stream = this.GetStreamProvider(provider).GetStream<object>(StreamId.Create("letters", key));
        StreamSequenceToken? token = offset is { } from ? new EventSequenceTokenV2(from, index) : null;
        await stream.SubscribeAsync((item, at) =>
        {
            Received.Add(key, item, at);
            return Task.CompletedTask;
        }, token!);
    }

    public Task PublishAsync(string provider, string stream, string[] events) =>
        this.GetStreamProvider(provider).GetStream<object>(StreamId.Create("letters", stream)).OnNextBatchAsync(events);
}

/// <summary>Is subscribed to every stream of the namespace "parcels".</summary>
public interface IParcelGrain : IGrainWithStringKey;

/// <inheritdoc cref="IParcelGrain"/>
[ImplicitStreamSubscription("parcels")]
public sealed class ParcelGrain : Grain, IParcelGrain, IStreamSubscriptionObserver
{
    public Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory) => handleFactory.Create<object>().ResumeAsync((item, at) =>
    {
        Received.Add(this.GetPrimaryKeyString(), item, at);
        return Task.CompletedTask;
    });
}
