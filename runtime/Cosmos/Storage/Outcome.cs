namespace Runtime.Cosmos.Storage;

/// <summary>
/// How one item operation ended, in the protocol's own status codes, and what it touched, for its charge.
/// </summary>
sealed record Outcome(int Status)
{
    public int SubStatus { get; init; }

    /// <summary>Why not, when the status says so.</summary>
    public string? Message { get; init; }

    /// <summary>The version found before the operation, if one was loaded.</summary>
    public Item? Before { get; init; }

    /// <summary>The version answered: written, or read.</summary>
    public Item? After { get; init; }

    public int PatchOperations { get; init; }

    public bool IsSuccess => Status < 300 || Status == 304;

    public static Outcome NotFound(string id) =>
        new(404) { Message = $"The item '{id}' does not exist in its logical partition." };

    public static Outcome Precondition(Item found) => new(412)
    {
        Message = "The item's ETag does not match the condition of the request.",
        Before = found,
    };
}
