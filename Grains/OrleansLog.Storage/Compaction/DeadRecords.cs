using OrleansLog.Protocol;

namespace OrleansLog.Storage.Compaction;

/// <summary>
/// One bit for each record of a log that says that a later one has its key. They are found from the log's end on, a piece after
/// the other, and asked for from its start on. One caller at a time.
/// </summary>
internal sealed class DeadRecords
{
    private readonly List<Piece> _pieces = [];
    private int _known;
    private int _number;

    /// <summary>A piece of the log by its number from the end, from 0: the one after all that were asked for before, or one of those.</summary>
    public Piece PieceAt(int number, Offset baseOffset)
    {
        if (number == _pieces.Count) _pieces.Add(new(baseOffset));
        _known = _pieces.Count;
        return _pieces[number];
    }

    /// <summary>Goes on to the records of a batch. Batches come in the order of the log, all that were looked at for the bits.</summary>
    public void MoveTo(Offset batch)
    {
        while (_known > 0 && _pieces[_known - 1].BaseOffset <= batch) (_known, _number) = (_known - 1, 0);
    }

    /// <summary>Whether the next record of the batch is dead.</summary>
    public bool TakeNext() => _known < _pieces.Count && _pieces[_known].Contains(_number++);

    /// <summary>The bits of a piece of a log, from one batch up to another.</summary>
    internal sealed class Piece(Offset baseOffset)
    {
        private const int BitsPerWord = 64;

        private ulong[] _words = [];

        public Offset BaseOffset => baseOffset;

        /// <param name="record">Its number in the piece.</param>
        /// <param name="count">How many there are in the piece.</param>
        public void Add(int record, int count)
        {
            if (_words.Length == 0) _words = new ulong[(count + BitsPerWord - 1) / BitsPerWord];
            _words[record / BitsPerWord] |= 1UL << (record % BitsPerWord);
        }

        public bool Contains(int record) =>
            record / BitsPerWord is var word && word < _words.Length && (_words[word] & (1UL << (record % BitsPerWord))) != 0;
    }
}
