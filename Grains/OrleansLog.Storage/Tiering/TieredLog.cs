using System.Globalization;
using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Storage.Tiering;

/// <summary>
/// One leadership of a partition whose sealed segments are kept in a remote store as well: one offset space over both
/// (KIP-405). A segment goes up under a name of its own, is read back, and is there once the manifest names it; only then may
/// it go from the disk. Deletion runs the other way round. The manifest is replaced by conditional writes and carries the
/// leader's epoch, so that an earlier leader that goes on for a while changes nothing.
/// <para>Reads: any thread. <see cref="StepAsync"/>: one at a time.</para>
/// </summary>
public sealed class TieredLog
{
    private const int ReadBackBytes = 1 << 20;
    private static readonly TimeSpan SweepInterval = TimeSpan.FromHours(1);
    // Longer than any upload takes from its first byte to its publication.
    private static readonly TimeSpan OrphanAgeMin = TimeSpan.FromHours(6);

    private readonly RemoteCache _cache;
    private readonly ReadAhead _ahead;
    private readonly PartitionLog _log;
    private readonly string _prefix;
    private readonly ManifestFile _file;
    private readonly Func<Offset> _stableOffset;
    private readonly Func<Guid> _newId;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Offset _begunAt;
    private RemoteManifest? _manifest;
    private string? _tag;

    // A write of the manifest has failed: it may have taken place, or do so at any time until another one has.
    private bool _isOutdated;
    private long? _sweptAt;

    /// <param name="cache">Reads the store.</param>
    /// <param name="log">The log on the disk.</param>
    /// <param name="prefix">How the names of the partition's objects begin, with a slash at the end: the same for all who will ever lead it.</param>
    /// <param name="epoch">The leadership's.</param>
    /// <param name="stableOffset">The last stable offset: what lies below changes no more, nor what readers see of it.</param>
    /// <param name="newId">Makes names that nobody else uses.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told of what happens.</param>
    public TieredLog(
        RemoteCache cache, PartitionLog log, string prefix, LeaderEpoch epoch, Func<Offset> stableOffset, Func<Guid> newId, TimeProvider time, ILogger logger)
    {
        (_cache, _log, _prefix, Epoch, _stableOffset, _newId, _time, _logger) = (cache, log, prefix, epoch, stableOffset, newId, time, logger);
        _begunAt = log.LogEndOffset;
        _ahead = new ReadAhead(cache, () => Manifest);
        _file = new ManifestFile(cache.Store, prefix, logger);
    }

    public LeaderEpoch Epoch { get; }

    /// <summary>How much is kept where. May be replaced.</summary>
    public TieringOptions Options { get; set; } = new();

    /// <summary>What the store holds; null before that was read.</summary>
    public RemoteManifest? Manifest => Volatile.Read(ref _manifest);

    /// <summary>Told when something that was to be read has come, or could not be.</summary>
    public Action? Arrived { get; set; }

    /// <summary>Whether the leadership lasts, as far as this broker knows; by default it does.</summary>
    public Func<bool> Lasts { get; init; } = static () => true;

    /// <summary>The first offset that can be read, wherever it is; null before that is known.</summary>
    public Offset? LogStartOffset =>
        Manifest is not { } manifest ? null : manifest.Segments.IsEmpty ? Offset.Max(manifest.LogStartOffset, OldestHere) : manifest.LogStartOffset;

    /// <summary>Everything below is in the store; none when nothing is.</summary>
    public Offset TieredEnd => Manifest?.End ?? Offset.None;

    /// <summary>
    /// Bytes of sealed segments that wait for the store. While nobody knows what it holds, those count that were written in
    /// this leadership.
    /// </summary>
    public long BacklogInBytes
    {
        get
        {
            if (Options.IsCopyDisabled) return 0;
            var from = Manifest is null ? _begunAt : TieredEnd;
            return _log.Segments.SkipLast(1).Where(segment => segment.NextOffset > from).Sum(segment => (long)segment.SizeInBytes);
        }
    }

    private Offset OldestHere => _log.LogStartOffset;

    /// <summary>The largest leader epoch not above the asked one, in the store or on the disk, and where it ends (KIP-279).</summary>
    public EpochEndOffset EndOffsetFor(LeaderEpoch epoch)
    {
        var epochs = LeaderEpochs.Empty;
        foreach (var start in Manifest?.Epochs ?? []) epochs = epochs.With(start.Epoch, start.StartOffset);
        foreach (var start in _log.Epochs.Entries) epochs = epochs.With(start.Epoch, start.StartOffset);
        return epochs.EndOffsetFor(epoch, _log.LogEndOffset);
    }

    /// <summary>
    /// Reads what is not on the disk any more. What is not at hand is fetched, and <see cref="Arrived"/> tells when it is:
    /// until then the answer is empty.
    /// </summary>
    public LogRead Read(Offset from, int bytesMax, bool minOneBatch)
    {
        if (Manifest is not { } manifest) return default;
        if (from < manifest.LogStartOffset || manifest.Find(from) is not { } segment) return new LogRead(ErrorCode.OffsetOutOfRange, default);
        Exception? failure = null;
        if (_cache.FindIndex(segment, NoteArrival) is not { } index) return Pending();
        if (_cache.FindBlock(segment, index, index.NumberOf(from), NoteArrival) is not { } block) return Pending();
        var slice = block.Find(from, bytesMax, minOneBatch);
        if (_cache.NoteReading(block, slice)) _ahead.Follow(segment, index, block);
        return new LogRead(ErrorCode.None, slice);

        LogRead Pending() => failure is null ? default : new LogRead(failure is InvalidDataException ? ErrorCode.CorruptMessage : ErrorCode.KafkaStorageError, default);

        void NoteArrival(Exception? why)
        {
            failure = why;
            Arrived?.Invoke();
        }
    }

    /// <summary>The aborted transactions with records in the remote segment that holds an offset.</summary>
    public IReadOnlyList<AbortedTransaction> AbortedTransactions(Offset from) =>
        [.. (Manifest?.Find(from)?.Aborted ?? []).Where(aborted => aborted.Marker >= from)];

    /// <summary>The first record in the store whose timestamp is at least the given one; null when it holds none.</summary>
    /// <param name="timestampMs">Milliseconds since 1970.</param>
    /// <param name="compressors">Opens compressed batches, as far as it knows their codec.</param>
    /// <exception cref="IOException">The store cannot be read.</exception>
    public async Task<TimestampedOffset?> FindByTimestampAsync(long timestampMs, Func<CompressionType, IRecordCompressor?>? compressors = null)
    {
        var manifest = Manifest;
        foreach (var segment in manifest?.Segments ?? [])
        {
            if (segment.MaxTimestampMs < timestampMs) continue;
            var index = await ComeAsync(arrived => _cache.FindIndex(segment, arrived));
            for (var number = 0; number < index.Chunks.Count; number++)
            {
                if (index.Chunks[number].MaxTimestampMs < timestampMs) continue;
                var (wanted, at) = (index, number);
                var block = await ComeAsync(arrived => _cache.FindBlock(segment, wanted, at, arrived));
                if (new TimestampLookup(compressors).FindFirst(block.File, block.Length, manifest!.LogStartOffset, timestampMs) is { } found) return found;
            }
        }

        return null;
    }

    /// <summary>The latest timestamp of a record in the store; -1 when none has one.</summary>
    public long MaxTimestampMs => Manifest is { Segments.IsEmpty: false } manifest ? manifest.Segments.Max(segment => segment.MaxTimestampMs) : RecordBatchHeader.NoTimestamp;

    /// <summary>
    /// Reads the manifest and makes it this leadership's own, if that was not done; uploads what is sealed and stable; drops what
    /// no retention keeps; deletes what nobody reads any more.
    /// </summary>
    /// <exception cref="IOException">The store failed: nothing is lost, and the next step tries again.</exception>
    /// <exception cref="InvalidDataException">The manifest is damaged.</exception>
    public async Task StepAsync(CancellationToken cancellationToken)
    {
        await ClaimAsync(cancellationToken);
        var failure = await UploadAsync(cancellationToken);
        // What cannot go up keeps nothing from going away.
        await ExpireAsync(cancellationToken);
        await DeleteGarbageAsync(cancellationToken);
        await SweepAsync(cancellationToken);
        _cache.DropForgotten();
        failure?.Throw();
    }

    /// <summary>Reads the manifest, if that was not done.</summary>
    public async Task ClaimAsync(CancellationToken cancellationToken)
    {
        if (_manifest is not null) return;
        var (found, tag) = await _file.ReadAsync(Epoch, cancellationToken);
        await PublishAsync(found, tag, Adopt, cancellationToken);
        Arrived?.Invoke();
    }

    /// <summary>
    /// Takes everything out of the store, and lets the log begin where it begins on the disk. To be called again, now and then:
    /// objects go once those who began to read them are done.
    /// </summary>
    /// <returns>Whether nothing is left.</returns>
    /// <exception cref="IOException">The store failed: the next call tries again.</exception>
    /// <exception cref="InvalidDataException">The manifest is damaged.</exception>
    public async Task<bool> DropAsync(CancellationToken cancellationToken)
    {
        if (_manifest is null)
        {
            var (found, tag) = await _file.ReadAsync(Epoch, cancellationToken);
            if (tag is null) return true;
            await PublishAsync(found, tag, static manifest => manifest, cancellationToken);
        }

        if (!_manifest!.Segments.IsEmpty) await ChangeAsync(DropAll, cancellationToken);
        await DeleteGarbageAsync(cancellationToken);
        return _manifest.Garbage.IsEmpty;
    }

    /// <summary>Up to where the disk need not keep what the store has, or what is gone altogether.</summary>
    public Offset LocalRetentionOffset()
    {
        var mayGo = _log.RetentionOffset(NowMs, Options.LocalRetentionMs, Options.LocalRetentionBytes);
        return Offset.Max(OldestHere, Offset.Max(Manifest?.LogStartOffset ?? Offset.None, Offset.Min(mayGo, TieredEnd)));
    }

    /// <summary>Makes an offset the first that can be read.</summary>
    public Task DeleteBeforeAsync(Offset offset, CancellationToken cancellationToken) =>
        ChangeAsync(manifest => offset <= manifest.LogStartOffset ? manifest : manifest.From(offset, _time.GetUtcNow()), cancellationToken);

    private static async Task<T> ComeAsync<T>(Func<Action<Exception?>, T?> find) where T : class
    {
        while (true)
        {
            var arrival = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
            if (find(why => arrival.TrySetResult(why)) is { } found) return found;
            if (await arrival.Task is { } failure) throw failure as IOException ?? new StorageException(failure.Message, failure);
        }
    }

    private long NowMs => _time.GetUtcNow().ToUnixTimeMilliseconds();

    // What an earlier leadership has left, as this one goes on with it. A log that lacks some of it was to be started after it: see
    // the election of a leader that may lack records.
    private RemoteManifest Adopt(RemoteManifest found)
    {
        var now = _time.GetUtcNow();
        if (found.Segments.FirstOrDefault(segment => !AgreesWith(segment)) is { } other)
            throw Disagreement($"'{_prefix}' in the remote store holds offsets {other.BaseOffset} to {found.End - 1L}, which the leader's log, up to {_log.LogEndOffset}, does not have so. Nothing is stored or deleted there.");
        if (found.Segments.IsEmpty) return found with { LogStartOffset = Offset.Max(found.LogStartOffset, OldestHere) };
        if (found.End >= OldestHere) return found;
        _logger.LogWarning(
            "{Prefix}: offsets {From} to {To} were deleted while nothing was uploaded; what lies before goes too", _prefix, found.End, OldestHere - 1L);
        return found.From(OldestHere, now);
    }

    // A later leader may have stored more than one that waited for the store's answer meanwhile ever had.
    private Exception Disagreement(string what) => Lasts() ? new InvalidDataException(what) : new IOException($"{what} Another broker leads by now.");

    private RemoteManifest DropAll(RemoteManifest manifest) => manifest.From(manifest.NextOffset, _time.GetUtcNow()) with { LogStartOffset = OldestHere };

    // What went from the disk was committed, and cannot be lost.
    private bool AgreesWith(RemoteSegment segment)
    {
        var last = segment.NextOffset - 1L;
        return last < OldestHere || (last < _log.LogEndOffset && (segment.Epochs is not [.., var latest] || _log.EpochAt(last) == latest.Epoch));
    }

    private async Task<ExceptionDispatchInfo?> UploadAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (!Options.IsCopyDisabled && await UploadNextAsync(cancellationToken))
            {
            }

            return null;
        }
        catch (IOException e)
        {
            return ExceptionDispatchInfo.Capture(e);
        }
    }

    private async Task<bool> UploadNextAsync(CancellationToken cancellationToken)
    {
        var from = _manifest!.Segments.IsEmpty ? FirstHere() : _manifest.End;
        var name = string.Create(CultureInfo.InvariantCulture, $"{_prefix}{from.Value:D20}-{Epoch.Value}-{_newId():N}{ManifestFile.SegmentSuffix}");
        if (_log.EndOfSealed(from) is not { } end || end > _stableOffset()) return false;
        if (_log.Describe(from, name) is not { } segment) return false;
        await using (var content = new SegmentStream(segment.File, segment.Position, segment.Remote.SizeInBytes))
            await _cache.Store.WriteAsync(name, content, cancellationToken);
        var index = segment.Index.Encode();
        await _cache.Store.WriteDocumentAsync(segment.Remote.IndexName, index, expectedTag: null, cancellationToken);
        await ReadBackAsync(segment.Remote, index, cancellationToken);
        await ChangeAsync(manifest => manifest.Segments.IsEmpty || manifest.End == from ? manifest.With(segment.Remote) : manifest, cancellationToken);
        _logger.LogInformation("{Name}: offsets {From} to {To} are in the remote store", name, from, segment.Remote.NextOffset - 1L);
        return true;
    }

    // What is deleted is not stored, though its segment may still be there.
    private Offset FirstHere() => _log.BatchStartAt(Offset.Max(_manifest!.LogStartOffset, OldestHere));

    // What the store took is what it gives.
    private async Task ReadBackAsync(RemoteSegment segment, byte[] index, CancellationToken cancellationToken)
    {
        var block = new byte[Math.Min(ReadBackBytes, segment.SizeInBytes)];
        var crc = 0u;
        for (var at = 0; at < segment.SizeInBytes;)
        {
            var read = await _cache.Store.ReadAsync(segment.Name, at, block.AsMemory(0, Math.Min(block.Length, segment.SizeInBytes - at)), cancellationToken);
            if (read == 0) break;
            crc = Crc32C.Append(crc, block.AsSpan(0, read));
            at += read;
        }

        var stored = await _cache.Store.ReadDocumentAsync(segment.IndexName, cancellationToken);
        if (crc != segment.Crc || stored is not { } document || !document.Content.Span.SequenceEqual(index))
            throw new IOException($"'{segment.Name}' reads otherwise from the remote store than it was written there. It is not used; another attempt follows.");
    }

    private async Task ExpireAsync(CancellationToken cancellationToken)
    {
        var manifest = _manifest!;
        var surplus = Options.RetentionBytes < 0 ? 0 : manifest.SizeInBytes + BytesAfter(manifest.End) - Options.RetentionBytes;
        var start = manifest.LogStartOffset;
        foreach (var segment in manifest.Segments)
        {
            surplus -= segment.SizeInBytes;
            var isOld = Options.RetentionMs >= 0 && NowMs - segment.MaxTimestampMs > Options.RetentionMs;
            if (!isOld && (Options.RetentionBytes < 0 || surplus < 0)) break;
            start = segment.NextOffset;
        }

        // Of what is only on the disk, and to stay so, nothing goes before all in the store has.
        if (Options.IsCopyDisabled && start >= manifest.End) start = Offset.Max(start, _log.RetentionOffset(NowMs, Options.RetentionMs, Options.RetentionBytes));
        if (start > manifest.LogStartOffset) await DeleteBeforeAsync(start, cancellationToken);
    }

    private long BytesAfter(Offset offset) => _log.Segments.Where(segment => segment.NextOffset > offset).Sum(segment => (long)segment.SizeInBytes);

    private async Task DeleteGarbageAsync(CancellationToken cancellationToken)
    {
        var due = _manifest!.Garbage.Where(garbage => (_time.GetUtcNow() - garbage.Since).TotalMilliseconds >= Options.GarbageDelayMs).ToHashSet();
        foreach (var garbage in due)
        {
            await _cache.Store.DeleteAsync(garbage.Name, cancellationToken);
            await _cache.Store.DeleteAsync(garbage.Name + RemoteSegment.IndexSuffix, cancellationToken);
        }

        if (due.Count > 0) await ChangeAsync(manifest => manifest with { Garbage = [.. manifest.Garbage.Where(garbage => !due.Contains(garbage))] }, cancellationToken);
    }

    // What was uploaded and never published, by whomever: a leader that died or was too late.
    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        if (_sweptAt is { } sweptAt && _time.GetElapsedTime(sweptAt) < SweepInterval) return;
        await ChangeAsync(static manifest => manifest, cancellationToken);
        var before = _time.GetUtcNow() - OrphanAgeMin;
        var known = _manifest!.Segments.Select(segment => segment.Name).Concat(_manifest.Garbage.Select(garbage => garbage.Name))
            .SelectMany(name => new[] { name, name + RemoteSegment.IndexSuffix }).Append(_file.Path).ToHashSet(StringComparer.Ordinal);
        await foreach (var found in _cache.Store.ListAsync(_prefix, cancellationToken))
        {
            if (known.Contains(found.Name) || !found.Name.Contains(ManifestFile.SegmentSuffix, StringComparison.Ordinal) || found.WrittenAt > before) continue;
            // Who has been deposed meanwhile, and whose clock is wrong, must not delete what a successor has published.
            if (EpochIn(found.Name) is not { } epoch || epoch > Epoch) continue;
            await _cache.Store.DeleteAsync(found.Name, cancellationToken);
            _logger.LogInformation("'{Name}' was never published, and is deleted from the remote store", found.Name);
        }

        _sweptAt = _time.GetTimestamp();
    }

    private LeaderEpoch? EpochIn(string name) =>
        name[_prefix.Length..].Split('-') is [_, var epoch, _] && int.TryParse(epoch, CultureInfo.InvariantCulture, out var number) ? new(number) : null;

    private Task ChangeAsync(Func<RemoteManifest, RemoteManifest> change, CancellationToken cancellationToken) =>
        PublishAsync(_manifest!, _tag, change, cancellationToken);

    private async Task PublishAsync(RemoteManifest current, string? tag, Func<RemoteManifest, RemoteManifest> change, CancellationToken cancellationToken)
    {
        if (_manifest is not null && !_isOutdated && change(current).Equals(current)) return;
        _isOutdated = true;
        var (changed, written) = await _file.ChangeAsync(current, tag, change, Epoch, cancellationToken);
        _tag = written;
        Volatile.Write(ref _manifest, changed);
        _isOutdated = false;
    }
}
