namespace OrleansLog.Grains.Metadata;

/// <summary>A document of the register as grain storage keeps it. One without bytes was deleted; its ETag goes on.</summary>
[GenerateSerializer]
public sealed class StoredDocument
{
    [Id(0)]
    public byte[]? Bytes { get; set; }
}

/// <summary>The keys of some documents of the register, deleted ones among them: grain storage cannot list.</summary>
[GenerateSerializer]
public sealed class StoredKeys
{
    [Id(0)]
    public List<string> Keys { get; set; } = [];
}
