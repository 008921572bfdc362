namespace OrleansLog.Storage.Tiering;

/// <summary>
/// Which parts of remote segments were at hand lately and are not any more. What is fetched once, as by a reader that catches up,
/// is seldom fetched again, and writing all of it to a disk would cost more than reading it; what was fetched twice may well be
/// asked for a third time (the second chance of 2Q, Johnson and Shasha, VLDB 1994). For its owner's lock.
/// </summary>
internal sealed class ReadAgain
{
    private const int PartsMax = 65_536;

    private readonly HashSet<(string Segment, int Part)> _parts = [];
    private readonly Queue<(string Segment, int Part)> _byAge = [];

    public void Note(StoredBlock gone)
    {
        for (var part = gone.First; part < gone.End; part++)
        {
            if (!_parts.Add((gone.Segment, part))) continue;
            _byAge.Enqueue((gone.Segment, part));
            if (_byAge.Count > PartsMax) _parts.Remove(_byAge.Dequeue());
        }
    }

    public bool Knows(StoredBlock come)
    {
        for (var part = come.First; part < come.End; part++)
            if (_parts.Contains((come.Segment, part))) return true;
        return false;
    }
}
