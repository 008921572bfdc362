namespace OrleansLog.Storage.Compaction;

/// <summary>
/// One bit for each record of a log, in its order, that says that a later one has its key: how keys are told apart a part of them
/// at a time, where there is no memory for all of them at once. One caller at a time.
/// </summary>
internal sealed class DeadRecords
{
    private const int BitsPerWord = 64;

    private ulong[] _words = new ulong[1024];

    public void Add(uint record)
    {
        var word = record / BitsPerWord;
        if (word >= _words.Length) Array.Resize(ref _words, (int)Math.Max(word + 1, _words.Length * 5L / 4));
        _words[word] |= 1UL << (int)(record % BitsPerWord);
    }

    public bool Contains(uint record) =>
        record / BitsPerWord is var word && word < _words.Length && (_words[word] & (1UL << (int)(record % BitsPerWord))) != 0;
}
