namespace Runtime.Cosmos.Http;

/// <summary>A request the server will not carry out; the pipeline's outermost step turns it into the answer.</summary>
/// <remarks>
/// For malformed, unauthorized or unsupported requests. Everyday outcomes (404, 409, 412) are values.
/// </remarks>
sealed class Refused(int status, string code, string message, int subStatus = 0) : Exception(message)
{
    public int Status { get; } = status;

    public string Code { get; } = code;

    public int SubStatus { get; } = subStatus;

    public static Refused BadRequest(string message) => new(400, "BadRequest", message);

    /// <summary>Something the real service does and this one does not: said by name, never guessed at.</summary>
    public static Refused Unsupported(string what) =>
        new(400, "BadRequest", $"{what} is not supported by this server.");

    public static Refused PartitionKeyMismatch() => new(
        400, "BadRequest", "The partition key given with the request does not match the one in the document.",
        SubStatuses.PartitionKeyMismatch);

    public static Refused TooLarge(string what, long most) =>
        new(413, "RequestEntityTooLarge", $"{what} is larger than the {most} bytes allowed.");

    public static Refused NotFound(string what, int subStatus = 0) =>
        new(404, "NotFound", $"{what} does not exist.", subStatus);

    public static Refused Conflict(string message) => new(409, "Conflict", message);
}

/// <summary>The sub-status codes clients act upon.</summary>
static class SubStatuses
{
    public const int PartitionKeyMismatch = 1001;
    public const int OwnerMissing = 1003;
    public const int PatchConditionFailed = 1110;
    public const int Throttled = 3200;
}
