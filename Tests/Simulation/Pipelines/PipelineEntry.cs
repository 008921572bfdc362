using System.Globalization;
using System.Text;
using OrleansLog.Client;

namespace OrleansLog.Simulation.Pipelines;

/// <summary>What a record of a pipeline says: which item has come to which stage, under an id that no other record has.</summary>
public readonly record struct PipelineEntry(long Id, long Item, int Stage)
{
    public static PipelineEntry Parse(ReadOnlySpan<byte> value)
    {
        var parts = Encoding.ASCII.GetString(value).Split(':');
        return new(Number(parts[0]), Number(parts[1]), (int)Number(parts[2]));

        static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
    }

    public OutgoingRecord ToRecord(int partitions) => new()
    {
        Partition = (int)((Item + Stage) % partitions),
        Value = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Id}:{Item}:{Stage}")),
    };
}
