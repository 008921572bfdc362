namespace OrleansLog.Protocol;

/// <summary>What went wrong, in Kafka's numbers (https://kafka.apache.org/protocol#protocol_error_codes).</summary>
public enum ErrorCode : short
{
    None = 0,
}
