namespace OrleansLog.Storage.Tiering;

/// <summary>Blocks in the order of their use, found by any of their parts. For its owner's lock.</summary>
internal sealed class BlockShelf
{
    private readonly Dictionary<(string Segment, int Part), LinkedListNode<StoredBlock>> _byPart = [];
    private readonly LinkedList<StoredBlock> _byUse = [];

    public long Bytes { get; private set; }

    /// <summary>The one that was not used for longest.</summary>
    public StoredBlock? Oldest => _byUse.First?.Value;

    public bool Has(StoredBlock block) => _byPart.GetValueOrDefault((block.Segment, block.First))?.Value == block;

    public StoredBlock? Peek(string segment, int part) => _byPart.GetValueOrDefault((segment, part))?.Value;

    /// <summary>The block with a part, which was used last from now on; null when none has it.</summary>
    public StoredBlock? Find(string segment, int part)
    {
        if (_byPart.GetValueOrDefault((segment, part)) is not { } node) return null;
        _byUse.Remove(node);
        _byUse.AddLast(node);
        return node.Value;
    }

    public void Add(StoredBlock block)
    {
        var node = _byUse.AddLast(block);
        for (var part = block.First; part < block.End; part++) _byPart[(block.Segment, part)] = node;
        Bytes += block.Length;
    }

    public void Remove(StoredBlock block)
    {
        var node = _byPart[(block.Segment, block.First)];
        for (var part = block.First; part < block.End; part++) _byPart.Remove((block.Segment, part));
        _byUse.Remove(node);
        Bytes -= block.Length;
    }
}
