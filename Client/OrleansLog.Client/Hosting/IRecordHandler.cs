namespace OrleansLog.Client;

/// <summary>
/// What an application does with the records of a hosted consumer. Made anew for each record, in a service scope of its
/// own. Records of one key (or partition) come one after the other, those of others at the same time.
/// </summary>
public interface IRecordHandler<TKey, TValue>
{
    /// <summary>
    /// Handles one record; it is done when this returns. What it throws has the record handled again after a pause, and
    /// sent to the dead-letter topic in the end. The same record can come more than once.
    /// </summary>
    /// <param name="record">The record.</param>
    /// <param name="cancellationToken">Cancelled when others read the partition now, or when the host's patience at its end is over.</param>
    ValueTask HandleAsync(ConsumedRecord<TKey, TValue> record, CancellationToken cancellationToken);
}
