using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary>Finds a group by name, and says which one was probably meant where there is none.</summary>
internal static class GroupLookup
{
    /// <summary>The type of share groups.</summary>
    public const string Share = "share";

    private const string NoSuchGroup = "Dead";

    /// <exception cref="CommandException">There is no such group.</exception>
    public static async Task<GroupDescription> DescribeAsync(AdminClient admin, string groupId, CancellationToken cancellationToken)
    {
        if (await TryDescribeAsync(admin, groupId, cancellationToken) is { } group) return group;
        var known = (await admin.ListGroupsAsync(cancellationToken)).Select(g => g.GroupId);
        throw new CommandException($"there is no group '{groupId}'{NearestName.Suggest(groupId, known)} 'olog groups list' shows all.");
    }

    /// <returns>The group, or null if there is none of that name.</returns>
    public static async Task<GroupDescription?> TryDescribeAsync(AdminClient admin, string groupId, CancellationToken cancellationToken)
    {
        try
        {
            var group = await admin.DescribeGroupAsync(groupId, cancellationToken);
            return group.State == NoSuchGroup ? null : group;
        }
        catch (OrleansLogException e) when (e.ErrorCode == ErrorCode.GroupIdNotFound)
        {
            return null;
        }
    }
}
