using OrleansLog.Cli.Formats;
using OrleansLog.Cli.Output;
using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary>
/// Moves lines into a producer until the input ends, a record fails or somebody interrupts; then waits for what is
/// under way and tells the result. It stops at the first failure: what follows would leave a gap unseen.
/// </summary>
internal sealed class ProducePump(Session session, string topic, IRecordParser parser, LineReader lines) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _failed = new();
    private OrleansLogException? _error;
    private long _delivered;
    private long _lost;

    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(OrleansLogClient client, ProducerOptions options, CancellationToken cancellationToken)
    {
        using var progress = new Progress(session.Terminal, hidden: session.Terminal.InputIsTerminal);
        string? problem;
        await using (var producer = client.CreateProducer(options with { OnDelivery = OnDelivery }))
        {
            problem = await PumpAsync(producer, progress, cancellationToken);
            await producer.FlushAsync(CancellationToken.None);
        }
        progress.Dispose();
        return Report(progress, problem, options.Acks);
    }

    /// <returns>What stopped it before the end of the input, or null.</returns>
    private async Task<string?> PumpAsync(Producer producer, Progress progress, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _failed.Token);
        try
        {
            while (await lines.FillAsync(stop.Token))
                while (PostBuffered(producer, progress, stop.Token) is { } pending) await pending;
            return null;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return session.Terminal.InputIsTerminal ? null : "interrupted; the rest of the input was not sent.";
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        catch (FormatException e)
        {
            return $"line {lines.LineNumber} {e.Message}";
        }
        catch (CommandException e)
        {
            return e.Message;
        }
        catch (OrleansLogException e)
        {
            return $"line {lines.LineNumber}: {e.Message}";
        }
    }

    /// <summary>Posts the lines that are in memory.</summary>
    /// <returns>What to wait for before calling again, or null when more must be read.</returns>
    private Task? PostBuffered(Producer producer, Progress progress, CancellationToken stop)
    {
        var (records, bytes) = (0, 0L);
        Task? pending = null;
        while (pending is null && lines.TryRead(out var line))
        {
            var record = parser.Parse(line);
            if (!producer.TryPost(topic, record)) pending = producer.PostAsync(topic, record, stop).AsTask();
            records++;
            bytes += line.Length;
        }
        progress.Add(records, bytes);
        return pending;
    }

    private void OnDelivery(DeliveryReport report)
    {
        lock (_gate)
        {
            if (report.Error is null)
            {
                _delivered += report.RecordCount;
                return;
            }
            _lost += report.RecordCount;
            _error ??= report.Error;
        }
        _failed.Cancel();
    }

    public void Dispose() => _failed.Dispose();

    private int Report(Progress progress, string? problem, Acks acks)
    {
        if (_error is not null) problem = $"{Units.Counted(_lost, "record")} could not be written to '{topic}': {_error.Message}";
        var verb = acks == Acks.None ? "Sent, unacknowledged," : "Produced";
        var counted = Units.Throughput(problem is null ? progress.Records : _delivered, progress.Bytes, progress.Elapsed);
        if (problem is null)
        {
            session.Error.WriteLine($"{verb} {counted}.");
            return ExitCode.Success;
        }
        session.Error.WriteLine($"olog: {problem}");
        session.Error.WriteLine($"{verb} {Units.Counted(_delivered, "record")} before that.");
        return ExitCode.Failure;
    }
}
