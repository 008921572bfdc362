namespace OrleansLog.Client.Orleans;

/// <summary>What the failure of a grain call is in Kafka's codes.</summary>
internal static class GrainFailures
{
    // Orleans has many exceptions for "no answer": rejections, silos that are not there, connections that broke. A grain adds
    // an IOException where its broker does not serve. To a client they are one: it may work elsewhere, or later.
    public static ErrorCode CodeOf(Exception failure) => failure is TimeoutException ? ErrorCode.RequestTimedOut : ErrorCode.NetworkException;
}
