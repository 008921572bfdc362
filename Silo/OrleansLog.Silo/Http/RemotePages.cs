using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using OrleansLog.Broker;
using OrleansLog.Broker.Restoring;
using OrleansLog.Broker.Tiering;

namespace OrleansLog.Silo.Http;

/// <summary>
/// What <c>olog restore</c> and <c>olog tier status</c> ask of a broker. Answers are JSON, those of several steps one line each as
/// it happens. <c>GET /remote/backup</c>, <c>GET /remote/plan</c>, <c>POST /remote/topics</c>, <c>GET /remote/commits</c>,
/// <c>POST /remote/end</c>.
/// </summary>
internal static class RemotePages
{
    public const string Path = "/remote/";

    public static async Task AnswerAsync(HttpContext context, Broker.Broker broker, string page)
    {
        if (broker.Restore is not { } restore || broker.BackupStatus is not { } status)
        {
            await HttpEndpoint.Text(context, StatusCodes.Status409Conflict, "the brokers were started without a remote store (--config remote.storage.directory=DIR, or a blob container)");
            return;
        }
        try
        {
            await AnswerAsync(context, restore, status, $"{context.Request.Method} {page}");
        }
        catch (RestoreRefusedException refused)
        {
            await FailAsync(context, StatusCodes.Status409Conflict, refused.Message);
        }
        catch (Exception failed) when (failed is IOException or InvalidDataException)
        {
            await FailAsync(context, StatusCodes.Status503ServiceUnavailable, failed.Message);
        }
    }

    private static Task AnswerAsync(HttpContext context, ClusterRestore restore, BackupStatus status, string what) => what switch
    {
        "GET backup" => WriteAsync(context, status, RemotePagesJson.Default.BackupStatus),
        "GET plan" => PlanAsync(context, restore),
        "POST topics" => RunAsync(context, restore),
        "GET commits" => CommitsAsync(context, restore),
        "POST end" => EndAsync(context, restore),
        _ => HttpEndpoint.Text(context, StatusCodes.Status404NotFound, "there are GET backup, plan and commits, POST topics and end below /remote/"),
    };

    private static async Task PlanAsync(HttpContext context, ClusterRestore restore) =>
        await WriteAsync(context, await restore.PlanAsync(context.RequestAborted), RemotePagesJson.Default.RestorePlan);

    private static async Task RunAsync(HttpContext context, ClusterRestore restore)
    {
        await foreach (var step in restore.RunAsync(context.Request.Query.ContainsKey("owner-is-dead"), context.Request.Query.ContainsKey("accept-damage"), context.RequestAborted))
            await WriteAsync(context, step, RemotePagesJson.Default.RestoreStep);
    }

    private static async Task CommitsAsync(HttpContext context, ClusterRestore restore)
    {
        await foreach (var each in restore.CommitsAsync(context.RequestAborted))
        {
            var commit = each.Commit;
            await WriteAsync(
                context, new(commit.Group, commit.Partition.Topic, commit.Partition.Partition, commit.Offset.Value, commit.LeaderEpoch.Value, commit.Metadata, each.WasFurther),
                RemotePagesJson.Default.CommitLine);
        }
    }

    private static async Task EndAsync(HttpContext context, ClusterRestore restore)
    {
        await restore.EndAsync(context.RequestAborted);
        await HttpEndpoint.Text(context, StatusCodes.Status200OK, "done");
    }

    private static async Task WriteAsync<T>(HttpContext context, T value, JsonTypeInfo<T> type)
    {
        if (!context.Response.HasStarted)
            context.Response.ContentType = "application/x-ndjson; charset=utf-8";
        await context.Response.WriteAsync(JsonSerializer.Serialize(value, type) + "\n", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }

    // Where the answer has begun already, a last line tells.
    private static Task FailAsync(HttpContext context, int status, string reason) => context.Response.HasStarted
        ? WriteAsync(context, new FailureLine(reason), RemotePagesJson.Default.FailureLine)
        : HttpEndpoint.Text(context, status, reason);
}

internal sealed record CommitLine(string Group, string Topic, int Partition, long Offset, int LeaderEpoch, string Metadata, bool WasFurther);

internal sealed record FailureLine(string Failure);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BackupStatus))]
[JsonSerializable(typeof(RestorePlan))]
[JsonSerializable(typeof(RestoreStep))]
[JsonSerializable(typeof(CommitLine))]
[JsonSerializable(typeof(FailureLine))]
internal sealed partial class RemotePagesJson : JsonSerializerContext;
