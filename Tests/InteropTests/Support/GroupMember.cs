using System.Diagnostics;
using System.Text.Json;

namespace OrleansLog.InteropTests.Support;

/// <summary>A process that is one member of a group, and says what it reads. Other members are other processes.</summary>
internal sealed class GroupMember : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMilliseconds(50);

    private readonly Lock _gate = new();
    private readonly SortedSet<string> _owned = new(StringComparer.Ordinal);
    private readonly List<string> _revoked = [];
    private readonly Process _process;
    private int _changes;

    private GroupMember(ProcessStartInfo start)
    {
        (start.RedirectStandardInput, start.RedirectStandardOutput, start.RedirectStandardError) = (true, true, true);
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Take(line.Data);
        _process.ErrorDataReceived += static (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>What it reads, as <c>topic-partition</c>.</summary>
    public IReadOnlyCollection<string> Owned
    {
        get { lock (_gate) return [.. _owned]; }
    }

    /// <summary>Everything that it has ever had to give up.</summary>
    public IReadOnlyCollection<string> Revoked
    {
        get { lock (_gate) return [.. _revoked]; }
    }

    /// <summary>How often it was given or had to give up partitions.</summary>
    public int Changes
    {
        get { lock (_gate) return _changes; }
    }

    public static GroupMember Librdkafka(string bootstrap, string topic, string group, params string[] settings) =>
        new(new ProcessStartInfo(Tool.SystemPython, [Tool.Script("member_confluent.py"), bootstrap, topic, group, .. settings]));

    public static GroupMember KafkaPython(string bootstrap, string topic, string group) =>
        new(new ProcessStartInfo(Tool.SystemPython, [Tool.Script("member_kafka_python.py"), bootstrap, topic, group]));

    public static GroupMember Kafkajs(string modules, string bootstrap, string topic, string group) =>
        new(new ProcessStartInfo("node", [Tool.Script("member_kafkajs.js"), bootstrap, topic, group]) { Environment = { ["NODE_PATH"] = modules } });

    /// <summary>Waits until these members, and nobody else, read each partition once, and each of them has some.</summary>
    public static async Task ShareAsync(int partitions, params GroupMember[] members)
    {
        var waited = Stopwatch.StartNew();
        while (!members.All(member => member.Owned.Count > 0) || members.Sum(member => member.Owned.Count) != partitions
            || members.SelectMany(member => member.Owned).Distinct().Count() != partitions)
        {
            Assert.True(waited.Elapsed < Patience, $"the members read {string.Join(" / ", members.Select(member => string.Join(' ', member.Owned)))}");
            Assert.True(members.All(member => !member._process.HasExited), "a member has ended");
            await Task.Delay(LookAgainAfter);
        }
    }

    /// <summary>Leaves the group and ends.</summary>
    public async Task LeaveAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync().WaitAsync(Patience);
        Assert.Equal(0, _process.ExitCode);
    }

    /// <summary>Ends without a word to anybody.</summary>
    public async Task CrashAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await CrashAsync();
        _process.Dispose();
    }

    private void Take(string? line)
    {
        if (line is null) return;
        using var said = JsonDocument.Parse(line);
        var (what, partitions) = (said.RootElement.EnumerateObject().Single().Name, said.RootElement.EnumerateObject().Single().Value.EnumerateArray().Select(part => part.GetString()!).ToList());
        lock (_gate)
        {
            if (what == "replaced") _owned.Clear();
            if (what == "revoked")
            {
                _owned.ExceptWith(partitions);
                _revoked.AddRange(partitions);
            }
            else
            {
                _owned.UnionWith(partitions);
            }
            if (partitions.Count > 0) _changes++;
        }
    }
}
