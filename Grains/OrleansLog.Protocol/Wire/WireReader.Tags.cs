namespace OrleansLog.Protocol.Wire;

/// <summary>
/// Tagged sections (KIP-482): a count, then for each field its tag, its size in bytes and its value, in ascending tag
/// order. The section of a structure is opened by the first tag that its description asks for, or by its end.
/// </summary>
public ref partial struct WireReader
{
    private const int SectionNotOpen = -1;

    /// <summary>A tag whose value is being read, and where its structure goes on after it.</summary>
    private sealed record OpenTag(uint Tag, int TagsLeft, int End, OpenTag? Outer);

    public bool BeginTag(int tag, bool present)
    {
        if (!IsFlexible) return false;
        if (_tagsLeft == SectionNotOpen) OpenTaggedSection();
        while (_tagsLeft > 0 && _nextTag < tag) SkipTag();
        if (_tagsLeft == 0 || _nextTag != tag) return false;
        var size = ReadTagSize();
        _openTag = new OpenTag(_nextTag, _tagsLeft, _position + size, _openTag);
        _tagsLeft = SectionNotOpen;
        return true;
    }

    public void EndTag()
    {
        var tag = _openTag!;
        if (_position != tag.End)
            throw new MalformedMessageException("tagged field", _position, $"tag {tag.Tag} should end at byte {tag.End}");
        (_nextTag, _tagsLeft, _openTag) = (tag.Tag, tag.TagsLeft, tag.Outer);
        GoToNextTag();
    }

    public void EndOfStructure()
    {
        if (!IsFlexible) return;
        if (_tagsLeft == SectionNotOpen) OpenTaggedSection();
        while (_tagsLeft > 0) SkipTag();
        _tagsLeft = SectionNotOpen;
    }

    private void OpenTaggedSection()
    {
        var count = ReadUnsignedVarint();
        if (count > Remaining)
            throw new MalformedMessageException("tagged section", _position, $"{count} fields in {Remaining} bytes");
        _tagsLeft = (int)count;
        if (_tagsLeft > 0) _nextTag = ReadUnsignedVarint();
    }

    private void SkipTag()
    {
        Skip(ReadTagSize());
        GoToNextTag();
    }

    private int ReadTagSize()
    {
        var size = ReadUnsignedVarint();
        return size <= Remaining
            ? (int)size
            : throw new MalformedMessageException("tagged field", _position, $"needs {size} bytes, {Remaining} remain");
    }

    private void GoToNextTag()
    {
        if (--_tagsLeft == 0) return;
        var previous = _nextTag;
        _nextTag = ReadUnsignedVarint();
        if (_nextTag <= previous)
            throw new MalformedMessageException("tagged section", _position, $"tag {_nextTag} follows tag {previous}");
    }
}
