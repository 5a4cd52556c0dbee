namespace Runtime.Cosmos;

/// <summary>The service's documented bounds, which clients do not check and this server therefore does.</summary>
static class CosmosLimits
{
    public const int ItemBytesMax = 2 * 1024 * 1024;
    public const int BatchBytesMax = 2 * 1024 * 1024;
    public const int BatchOperationsMax = 100;
    public const int PatchOperationsMax = 10;
    public const int IdCharactersMax = 1023;
    public const int NameCharactersMax = 255;
    public const int PartitionKeyBytesMax = 2048;
    public const int NestingMax = 128;
    public const int UniqueKeysMax = 10;
    public const int UniqueKeyPathsMax = 16;

    /// <summary>Room for a whole batch of the largest size and its framing.</summary>
    public const int RequestBytesMax = 4 * 1024 * 1024;

    public const int PageItemsDefault = 1000;
    public const int PageItemsMax = 10_000;

    /// <summary>A page also ends here, so that one answer never holds the client's memory to ransom.</summary>
    public const int PageBytesMax = 4 * 1024 * 1024;

    public const int QueryCharactersMax = 512 * 1024;
    public const int QueryNestingMax = 64;
    /// <summary>Indexes a container keeps; queries over further paths look at every item in reach.</summary>
    public const int IndexesMax = 32;

    public const int JoinsMax = 10;
    public const int InItemsMax = 16_000;

    /// <summary>Requests a durable writer may have waiting before it says "service unavailable".</summary>
    public const int WritesWaitingMax = 10_000;
}
