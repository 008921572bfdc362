using System.Buffers.Text;
using System.Globalization;
using OrleansLog.Coordination.ConsumerGroups;

namespace OrleansLog.Coordination.SharePartitions;

/// <summary>
/// A share-partition: a partition as one share group sees it. The topic is named by its id, which a topic made anew under
/// the same name does not share.
/// </summary>
public readonly record struct SharePartitionKey(string Group, Guid TopicId, int Partition)
{
    internal TopicIdPartition TopicPartition => new(TopicId, Partition);

    /// <summary>The form in which clients name it when they look for its coordinator: <c>GROUP:TOPIC-ID:PARTITION</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Group}:{Encode(TopicId)}:{Partition}");

    /// <summary>Reads that form. The group's name may itself have colons.</summary>
    public static bool TryParse(string text, out SharePartitionKey key)
    {
        key = default;
        var last = text.LastIndexOf(':');
        var middle = last > 0 ? text.LastIndexOf(':', last - 1) : -1;
        if (middle <= 0 || !TryDecode(text.AsSpan(middle + 1, last - middle - 1), out var id))
            return false;
        if (!int.TryParse(text.AsSpan(last + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var partition))
            return false;
        key = new(text[..middle], id, partition);
        return true;
    }

    private static string Encode(Guid id) => Base64Url.EncodeToString(id.ToByteArray(bigEndian: true));

    private static bool TryDecode(ReadOnlySpan<char> text, out Guid id)
    {
        Span<byte> bytes = stackalloc byte[18];
        id = default;
        if (text.Length > 24 || !Base64Url.IsValid(text) || !Base64Url.TryDecodeFromChars(text, bytes, out var written) || written != 16)
            return false;
        id = new Guid(bytes[..16], bigEndian: true);
        return true;
    }
}
