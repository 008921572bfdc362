using System.Globalization;
using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Broker.Tiering;

/// <summary>What a remote store holds of whole topics: objects whose names begin with the topic's id.</summary>
internal static class RemoteTopics
{
    /// <summary>How the names of a partition's objects begin.</summary>
    public static string PrefixOf(Guid topicId, TopicPartition partition) =>
        string.Create(CultureInfo.InvariantCulture, $"{topicId:N}/{partition.Partition}/");

    /// <summary>Deletes everything of a topic that is gone. What cannot be deleted stays, and the log says so.</summary>
    public static async Task DeleteAsync(IRemoteStore store, Guid topicId, ILogger logger)
    {
        var prefix = $"{topicId:N}/";
        try
        {
            await foreach (var found in store.ListAsync(prefix, CancellationToken.None))
                await store.DeleteAsync(found.Name, CancellationToken.None);
        }
        catch (IOException failed)
        {
            logger.LogError("What the remote store holds under '{Prefix}', of a topic that was deleted, could not be deleted: {Reason}. Delete it by hand.", prefix, failed.Message);
        }
    }
}
