using System.Buffers;

namespace OrleansLog.Protocol.Wire;

/// <summary>
/// Tagged sections (KIP-482). Their counts and sizes stand before what they count, so present tags are set aside until
/// the structure ends. They are rare: a structure without any costs its one zero byte and allocates nothing.
/// </summary>
public ref partial struct WireWriter
{
    /// <summary>The tagged fields of one structure, as they will stand on the wire but for their count.</summary>
    private sealed class TaggedSection
    {
        public uint Count;
        public readonly ArrayBufferWriter<byte> Fields = new();
    }

    /// <summary>A tag whose value is being written aside, and where writing goes on after it.</summary>
    private sealed record OpenTag(
        int Tag,
        ArrayBufferWriter<byte> Value,
        IBufferWriter<byte> Output,
        long Flushed,
        TaggedSection Section,
        OpenTag? Outer);

    public bool BeginTag(int tag, bool present)
    {
        if (!IsFlexible || !present) return false;
        Flush();
        var value = new ArrayBufferWriter<byte>();
        _openTag = new OpenTag(tag, value, _output, _flushed, _section ?? new TaggedSection(), _openTag);
        _output = value;
        _section = null;
        return true;
    }

    public void EndTag()
    {
        Flush();
        var tag = _openTag!;
        _output = tag.Section.Fields;
        WriteUnsignedVarint((uint)tag.Tag);
        WriteUnsignedVarint((uint)tag.Value.WrittenCount);
        WriteRaw(tag.Value.WrittenSpan);
        Flush();
        tag.Section.Count++;
        (_output, _flushed, _section, _openTag) = (tag.Output, tag.Flushed, tag.Section, tag.Outer);
    }

    public void EndOfStructure()
    {
        if (!IsFlexible) return;
        WriteUnsignedVarint(_section?.Count ?? 0);
        if (_section is null) return;
        WriteRaw(_section.Fields.WrittenSpan);
        _section = null;
    }
}
