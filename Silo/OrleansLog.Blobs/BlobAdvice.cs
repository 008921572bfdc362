using Azure;
using Azure.Storage.Blobs.Models;

namespace OrleansLog.Blobs;

/// <summary>What a failure of the blob service means to the person who can mend it.</summary>
internal static class BlobAdvice
{
    private const string Permissions = "a SAS needs the permissions racwdl on the container, an identity the role Storage Blob Data Contributor";

    // https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes and .../blob-service-error-codes
    private static readonly Dictionary<BlobErrorCode, string> ByCode = new()
    {
        [BlobErrorCode.AuthenticationFailed] = "The key is wrong, or the SAS is wrong or has expired: check what the broker was given, and this machine's clock",
        [BlobErrorCode.InvalidAuthenticationInfo] = "The credentials are not what this storage takes: check what the broker was given",
        [BlobErrorCode.AuthorizationFailure] =
            "The key is not this account's, or the SAS is wrong, has expired or does not allow it, or the storage's firewall keeps this machine out: check what the broker was given, and this machine's clock",
        [BlobErrorCode.AuthorizationPermissionMismatch] = $"The credentials do not allow it: {Permissions}",
        [BlobErrorCode.InsufficientAccountPermissions] = $"The credentials do not allow it: {Permissions}",
        [BlobErrorCode.AuthorizationServiceMismatch] = "The SAS is for another service than blobs",
        [BlobErrorCode.AuthorizationResourceTypeMismatch] = "The SAS is for other resources: it needs the types container and object, or to be one of the container itself",
        [BlobErrorCode.AuthorizationSourceIPMismatch] = "The SAS is for other addresses than this machine's",
        [BlobErrorCode.AuthorizationProtocolMismatch] = "The SAS is for https: give the endpoint so",
        [BlobErrorCode.ContainerNotFound] = "The container is not there: make it, or give credentials that may, or name another one",
        [BlobErrorCode.ContainerBeingDeleted] = "The container is being deleted: wait, or name another one",
        [BlobErrorCode.AccountIsDisabled] = "The account is disabled",
    };

    /// <summary>What the service said, in a line, and what to do about it.</summary>
    public static string Describe(Exception failure)
    {
        var said = failure.Message.Split('\n', 2)[0].Trim();
        if (failure is not RequestFailedException { Status: > 0 } refused) return failure.Message.ReplaceLineEndings(" ");
        if (refused.ErrorCode is not { Length: > 0 } code) return $"{said} (HTTP {refused.Status})";
        return ByCode.TryGetValue(new BlobErrorCode(code), out var advice) ? $"{said} ({code}). {advice}." : $"{said} ({code})";
    }
}
