using Orleans.Configuration;

namespace OrleansLog.Hosting;

/// <summary>How soon a silo is taken for dead.</summary>
internal static class FailureDetection
{
    /// <summary>
    /// A silo that is dead, or hangs, is known to be so within one to two seconds: every half a second each is asked by all
    /// others (up to ten), and two of them must have missed two answers in a row. One asker alone would be quicker by half a
    /// second and would, on a machine at full load, take living silos for dead. A silo that the others gave up while it could
    /// not hear them reads so in the table, which it looks at every two seconds.
    /// </summary>
    public static void Tune(ClusterMembershipOptions membership)
    {
        membership.ProbeTimeout = TimeSpan.FromMilliseconds(500);
        membership.MaxProbeTimeout = TimeSpan.FromSeconds(1);
        membership.NumMissedProbesLimit = 2;
        membership.NumVotesForDeathDeclaration = 2;
        membership.TableRefreshTimeout = TimeSpan.FromSeconds(2);
        membership.DefunctSiloExpiration = TimeSpan.FromHours(1);
    }
}
