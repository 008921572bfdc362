using System.Diagnostics;
using System.Globalization;
using OrleansLog.InteropTests.Support;

namespace OrleansLog.InteropTests;

/// <summary>A broker that is killed while it takes records keeps every one that it acknowledged, where it said.</summary>
public sealed class KilledBroker
{
    [Theory]
    [InlineData("1")]
    [InlineData("9223372036854775807")]
    public async Task Keeps_every_acknowledged_record_at_its_offset(string flushMessages)
    {
        Tool.NeedPython("confluent_kafka", "python3-confluent-kafka");
        using var text = new TextFile();
        // A killed process loses no page of the system's cache, so even without flushes nothing may be missing.
        await using var broker = await BrokerProcess.StartAsync("--config", $"log.flush.interval.messages={flushMessages}");
        var acknowledgedPath = text.CopyBy("acknowledged");
        using var producer = StartProducer(broker, acknowledgedPath);
        Assert.Equal("producing", await producer.StandardOutput.ReadLineAsync());
        await broker.KillAsync();
        await producer.WaitForExitAsync();

        await broker.RestartAsync();

        var acknowledged = ReadAcknowledged(acknowledgedPath);
        var kept = await ConsumeAsync(broker, text);
        Assert.NotEmpty(acknowledged);
        Assert.All(acknowledged, record => Assert.Equal(record.Value, kept[record.Offset]));
    }

    [Fact]
    public async Task Stops_within_seconds_when_asked_to()
    {
        await using var broker = await BrokerProcess.StartAsync();
        Assert.Equal(0, await broker.StopAsync());
    }

    private static Process StartProducer(BrokerProcess broker, string acknowledgedPath) => Process.Start(
        new ProcessStartInfo(Tool.SystemPython,
            [Tool.Script("confluent_client.py"), "produce_until_killed", broker.Bootstrap, "survivors", acknowledgedPath])
        {
            RedirectStandardOutput = true,
        })!;

    private static List<(int Offset, string Value)> ReadAcknowledged(string path) =>
    [
        .. File.ReadLines(path).Select(line => line.Split(' ', 2))
            .Select(parts => (int.Parse(parts[0], CultureInfo.InvariantCulture), parts[1])),
    ];

    private static async Task<string[]> ConsumeAsync(BrokerProcess broker, TextFile text)
    {
        var copy = text.CopyBy("survivors");
        await Tool.RunOlogAsync(
            ["consume", "survivors", "--bootstrap", broker.Bootstrap, "--from-beginning", "--exit-at-end"], outputFile: copy);
        return await File.ReadAllLinesAsync(copy);
    }
}
