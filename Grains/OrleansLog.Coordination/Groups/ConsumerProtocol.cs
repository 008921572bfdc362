using System.Buffers.Binary;
using System.Text;

namespace OrleansLog.Coordination.Groups;

/// <summary>
/// The little that a coordinator understands of what consumers tell one another: the topics in a subscription, whose
/// layout every version begins with (a version, then the topics).
/// </summary>
internal static class ConsumerProtocol
{
    /// <summary>The protocol type of groups of consumers.</summary>
    public const string Type = "consumer";

    /// <summary>Adds the topics of a subscription. Answers false when it does not read as one.</summary>
    public static bool TryReadTopics(ReadOnlySpan<byte> subscription, HashSet<string> topics)
    {
        if (subscription.Length < 6)
            return false;
        var count = BinaryPrimitives.ReadInt32BigEndian(subscription[2..]);
        var rest = subscription[6..];
        for (; count > 0; count--)
        {
            if (!BinaryPrimitives.TryReadInt16BigEndian(rest, out var length) || length < 0 || rest.Length < 2 + length)
                return false;
            topics.Add(Encoding.UTF8.GetString(rest.Slice(2, length)));
            rest = rest[(2 + length)..];
        }
        return count == 0;
    }
}
