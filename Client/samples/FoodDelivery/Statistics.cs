using System.Text.Json;
using OrleansLog.Client;
using OrleansLog.Protocol;

namespace FoodDelivery;

/// <summary>What one partition of payments has brought so far.</summary>
internal sealed class Takings
{
    public decimal Profit { get; set; }

    public Dictionary<string, int> PortionsByDish { get; init; } = [];
}

/// <summary>
/// Keeps the profit and how often each dish was sold. Its figures lie beside the committed offsets, as their metadata:
/// one commit stores both or neither, so each payment counts once, whatever happens in between. (A broker takes 4 KiB
/// of metadata for a partition; larger state belongs into a topic or a database, together with the offsets.)
/// </summary>
internal sealed class Statistics(OrleansLogClient client) : IRebalanceListener
{
    private const int ReportEvery = 10;

    private static readonly ConsumerOptions Options = new()
    {
        GroupId = "statistics",
        OffsetReset = OffsetReset.Earliest,
        Commit = CommitMode.Manual,
    };

    private readonly Consumer<string, Payment> _consumer = client.CreateConsumer(Options, Serdes.Utf8, Topics.PaymentJson);
    private readonly Dictionary<TopicPartition, Takings> _takings = [];
    private readonly Dictionary<TopicPartition, Offset> _next = [];
    private int _unreported;

    public Consumer Consumer => _consumer;

    /// <summary>Reads until cancelled; then commits, reports and leaves the group.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await using (_consumer)
        {
            _consumer.Subscribe([Topics.Payments], this);
            try
            {
                await foreach (var record in _consumer.ConsumeAsync(cancellationToken))
                {
                    Add(record.TopicPartition, record.Value!);
                    _next[record.TopicPartition] = record.Offset + 1;
                    if (++_unreported >= ReportEvery) await ReportAsync(CancellationToken.None);
                }
            }
            catch (OperationCanceledException)
            {
            }
            await ReportAsync(CancellationToken.None);
        }
    }

    /// <summary>Goes on from the figures that were committed with the offsets.</summary>
    public async ValueTask OnAssignedAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken)
    {
        foreach (var partition in partitions) _takings[partition] = new Takings();
        foreach (var committed in await _consumer.CommittedAsync(partitions, cancellationToken))
        {
            if (committed.Metadata.Length == 0) continue;
            _takings[committed.Partition] = JsonSerializer.Deserialize(committed.Metadata, ShopJson.Default.Takings)!;
        }
    }

    public async ValueTask OnRevokedAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken)
    {
        await CommitAsync(cancellationToken);
        Forget(partitions);
    }

    public ValueTask OnLostAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken)
    {
        Forget(partitions);
        return default;
    }

    private void Add(TopicPartition partition, Payment payment)
    {
        if (!payment.IsAccepted) return;
        var takings = _takings[partition];
        takings.Profit += Menu.Find(payment.Dish).Profit * payment.Portions;
        takings.PortionsByDish[payment.Dish] = takings.PortionsByDish.GetValueOrDefault(payment.Dish) + payment.Portions;
    }

    private async ValueTask ReportAsync(CancellationToken cancellationToken)
    {
        _unreported = 0;
        await CommitAsync(cancellationToken);
        var sold = _takings.Values.SelectMany(t => t.PortionsByDish).GroupBy(d => d.Key, d => d.Value).OrderByDescending(d => d.Sum());
        Say.Line("STATISTICS", "", $"profit {_takings.Values.Sum(t => t.Profit)}; sold {string.Join(", ", sold.Select(d => $"{d.Sum()} x {d.Key}"))}");
    }

    private ValueTask CommitAsync(CancellationToken cancellationToken)
    {
        var positions = _next.Select(n => new TopicPartitionOffset(n.Key, n.Value)
        {
            Metadata = JsonSerializer.Serialize(_takings[n.Key], ShopJson.Default.Takings),
        });
        return _consumer.CommitAsync([.. positions], cancellationToken);
    }

    private void Forget(IReadOnlyCollection<TopicPartition> partitions)
    {
        foreach (var partition in partitions)
        {
            _takings.Remove(partition);
            _next.Remove(partition);
        }
    }
}
