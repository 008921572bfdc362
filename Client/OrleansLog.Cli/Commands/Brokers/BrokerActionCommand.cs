using System.CommandLine;
using System.Globalization;

namespace OrleansLog.Cli.Commands;

/// <summary>
/// <c>olog brokers kill</c>, <c>pause</c>, <c>resume</c>, <c>start</c>, <c>stop</c>: tells the process that runs the
/// brokers, at its HTTP address, what to do to one of them. Kafka's protocol knows nothing of the kind.
/// </summary>
internal static class BrokerActionCommand
{
    private static readonly TimeSpan AnswerTimeMax = TimeSpan.FromSeconds(60);

    private static readonly Argument<int> Id = BrokersCommand.IdArgument("The broker.");

    public static IEnumerable<OlogCommand> CreateAll()
    {
        yield return Create("kill", "Ends a broker of an embedded cluster as a crash would: nothing is flushed, nobody is told.");
        yield return Create("pause", "Stops a broker in the middle of what it does, connections open, as a stalled machine would.");
        yield return Create("resume", "Lets a paused broker go on where it was.");
        yield return Create("start", "Starts a broker that was killed or stopped.");
        yield return Create("stop", "Stops a broker in good order: others take over what it leads.");
    }

    private static OlogCommand Create(string action, string description) =>
        new OlogCommand(action, description, $"olog brokers {action} 2", $"olog brokers {action} 2 --http http://127.0.0.1:8081")
        {
            Id, ProcessHttp.Address,
        }.Runs((session, cancellationToken) => RunAsync(session, action, cancellationToken));

    private static async Task RunAsync(Session session, string action, CancellationToken cancellationToken)
    {
        using var http = new ProcessHttp(session, AnswerTimeMax);
        session.Out.WriteLine(await http.PostAsync(string.Create(CultureInfo.InvariantCulture, $"brokers/{session.Get(Id)}/{action}"), cancellationToken));
    }
}
