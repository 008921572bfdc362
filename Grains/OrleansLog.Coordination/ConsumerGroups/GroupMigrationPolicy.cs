namespace OrleansLog.Coordination.ConsumerGroups;

/// <summary>Which way groups with members may move between the protocols (<c>group.consumer.migration.policy</c>).</summary>
public enum GroupMigrationPolicy
{
    /// <summary>A group stays with the protocol that its members began with, until it is empty.</summary>
    Disabled,

    /// <summary>A member of the consumer protocol takes a classic group along.</summary>
    Upgrade,

    /// <summary>When its last member of the consumer protocol leaves, a group goes back to the classic one.</summary>
    Downgrade,

    /// <summary>Both.</summary>
    Bidirectional,
}
