namespace OrleansLog.Cli.Formats;

/// <summary>The names of a record's parts in the format json.</summary>
internal static class JsonFields
{
    public const string Topic = "topic";
    public const string Partition = "partition";
    public const string Offset = "offset";
    public const string Timestamp = "timestamp";
    public const string Key = "key";
    public const string KeyBase64 = "keyBase64";
    public const string Value = "value";
    public const string ValueBase64 = "valueBase64";
    public const string Headers = "headers";

    public static readonly string[] All = [Topic, Partition, Offset, Timestamp, Key, KeyBase64, Value, ValueBase64, Headers];
}
