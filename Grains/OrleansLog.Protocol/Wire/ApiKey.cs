namespace OrleansLog.Protocol.Wire;

/// <summary>Which request a frame carries, in Kafka's numbers (https://kafka.apache.org/protocol#protocol_api_keys).</summary>
public enum ApiKey : short
{
    Produce = 0,
}
