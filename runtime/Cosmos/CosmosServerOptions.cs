namespace Runtime.Cosmos;

/// <summary>How a server is opened.</summary>
public sealed record CosmosServerOptions
{
    /// <summary>
    /// The account key every Cosmos emulator has had since the first: known to all, a secret to nobody.
    /// </summary>
    public const string WellKnownKey =
        "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw==";

    /// <summary>The SQLite file that keeps everything; null keeps it in memory only.</summary>
    public string? File { get; init; }

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>The base64 key clients sign their requests with.</summary>
    public string Key { get; init; } = WellKnownKey;

    /// <summary>Flushes the disk at every commit, so that even a power cut loses nothing acknowledged.</summary>
    public bool PowerSafe { get; init; }

    /// <summary>
    /// What decides the chances of <see cref="CosmosServer.Faults"/>: the same seed, the same faults.
    /// </summary>
    public int FaultSeed { get; init; }
}
