using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Azure.Functions.Worker;

namespace Runtime.Worker.Tests;

public sealed record Change(string Id, string StreamId, int Quantity = 0);

/// <summary>What every feed function of the tests has in common: a prompt start and small, frequent looks.</summary>
static class Feed
{
    public const string Database = "%Database%";
    public const string Events = "events";
    public const string Connection = "Cosmos";
    public const int PollMilliseconds = 20;
}

public sealed class FoldFunctions(Probe probe)
{
    [Function("Fold")]
    public async Task Fold(
        [CosmosDBTrigger(
            Feed.Database, Feed.Events, Connection = Feed.Connection, LeaseContainerPrefix = "fold",
            CreateLeaseContainerIfNotExists = true, StartFromBeginning = true, MaxItemsPerInvocation = 2,
            FeedPollDelay = Feed.PollMilliseconds)]
        IReadOnlyList<Change> changes,
        CancellationToken cancellation)
    {
        Assert.InRange(changes.Count, 1, 2);
        foreach (var change in changes)
        {
            probe.Write($"begin {change.Id}");
            if (change.StreamId == "slow")
            {
                await probe.Opened(change.Id).WaitAsync(cancellation);
            }

            probe.Write($"{change.Id}x{change.Quantity}");
        }
    }
}

public sealed class PoisonFunctions(Probe probe)
{
    [Function("Poison")]
    [ExponentialBackoffRetry(3, "00:00:10", "00:00:25")]
    public void Poison(
        [CosmosDBTrigger(
            Feed.Database, Feed.Events, Connection = Feed.Connection, LeaseContainerPrefix = "poison",
            CreateLeaseContainerIfNotExists = true, StartFromBeginning = true, MaxItemsPerInvocation = 1,
            FeedPollDelay = Feed.PollMilliseconds)]
        Change[] changes,
        FunctionContext context)
    {
        probe.Write($"{changes.Single().Id} {context.RetryContext.RetryCount}/{context.RetryContext.MaxRetryCount}");
        if (changes[0].StreamId == "poison")
        {
            throw new InvalidOperationException("it cannot be digested");
        }
    }
}

public sealed class ShapeFunctions(Probe probe)
{
    [Function("AsList")]
    public void AsList(
        [CosmosDBTrigger(
            Feed.Database, Feed.Events, Connection = Feed.Connection, LeaseContainerPrefix = "list",
            CreateLeaseContainerIfNotExists = true, StartFromBeginning = true, FeedPollDelay = Feed.PollMilliseconds)]
        List<Change> changes) => probe.Write($"list {changes[0]}");

    [Function("AsEnumerable")]
    public void AsEnumerable(
        [CosmosDBTrigger(
            Feed.Database, Feed.Events, Connection = Feed.Connection, LeaseContainerPrefix = "enumerable",
            CreateLeaseContainerIfNotExists = true, StartFromBeginning = true, FeedPollDelay = Feed.PollMilliseconds)]
        IEnumerable<JsonElement> changes) => probe.Write($"enumerable {changes.First().GetProperty("id")}");

    [Function("AsText")]
    public void AsText(
        [CosmosDBTrigger(
            Feed.Database, Feed.Events, Connection = Feed.Connection, LeaseContainerPrefix = "text",
            CreateLeaseContainerIfNotExists = true, StartFromBeginning = true, FeedPollDelay = Feed.PollMilliseconds)]
        string changes) => probe.Write($"text {changes}");

    [Function("AsArray")]
    public void AsArray(
        [CosmosDBTrigger(
            Feed.Database, Feed.Events, Connection = Feed.Connection, LeaseContainerPrefix = "array",
            CreateLeaseContainerIfNotExists = true, StartFromBeginning = true, FeedPollDelay = Feed.PollMilliseconds)]
        JsonArray changes) => probe.Write($"array {changes[0]!["id"]}");
}

public sealed class UndigestedFunctions(Probe probe)
{
    [Function("Undigested")]
    public void Undigested(
        [CosmosDBTrigger(
            Feed.Database, Feed.Events, Connection = Feed.Connection, CreateLeaseContainerIfNotExists = true,
            StartFromBeginning = true, MaxItemsPerInvocation = 1, FeedPollDelay = Feed.PollMilliseconds)]
        IReadOnlyList<Change> changes) => probe.Write(changes.Single().Id);
}

public sealed class PatientFeedFunctions(Probe probe)
{
    [Function("PatientFeed")]
    public void PatientFeed(
        [CosmosDBTrigger(
            Feed.Database, Feed.Events, Connection = Feed.Connection, CreateLeaseContainerIfNotExists = true,
            StartFromBeginning = true, FeedPollDelay = 3_600_000)]
        IReadOnlyList<Change> changes) => probe.Write(string.Join(' ', changes.Select(change => change.Id)));
}

public sealed class StormFunctions(Probe probe)
{
    [Function("Storm")]
    public async Task Storm(
        [CosmosDBTrigger(
            Feed.Database, Feed.Events, Connection = Feed.Connection, CreateLeaseContainerIfNotExists = true,
            StartFromBeginning = true, MaxItemsPerInvocation = 3, FeedPollDelay = 5, LeaseAcquireInterval = 20)]
        IReadOnlyList<Change> changes,
        CancellationToken cancellation)
    {
        foreach (var change in changes)
        {
            await Task.Yield();
            cancellation.ThrowIfCancellationRequested();
            probe.Write(change.Id);
        }
    }
}

public static class BadFeedFunctions
{
    [Function("OnlyOne")]
    public static void OnlyOne([CosmosDBTrigger("d", "c", Connection = Feed.Connection)] Change change) =>
        Assert.NotNull(change);

    [Function("Texts")]
    public static void Texts([CosmosDBTrigger("d", "c", Connection = Feed.Connection)] string[] changes) =>
        Assert.NotNull(changes);

    [Function("Unconnected")]
    public static void Unconnected([CosmosDBTrigger("d", "c", Connection = "Nowhere")] JsonElement changes) =>
        Assert.Equal(JsonValueKind.Array, changes.ValueKind);

    [Function("Nonsense")]
    public static void Nonsense([CosmosDBTrigger("d", "c", Connection = "Nonsense")] JsonElement changes) =>
        Assert.Equal(JsonValueKind.Array, changes.ValueKind);

    [Function("Everything")]
    public static void Everything(
        [CosmosDBTrigger(
            "d", "c", Connection = Feed.Connection, ChangeFeedMode = CosmosDBChangeFeedMode.AllVersionsAndDeletes)]
        JsonElement changes) => Assert.Equal(JsonValueKind.Array, changes.ValueKind);

    [Function("SelfLeased")]
    public static void SelfLeased(
        [CosmosDBTrigger("d", "c", Connection = Feed.Connection, LeaseContainerName = "c")] JsonElement changes) =>
        Assert.Equal(JsonValueKind.Array, changes.ValueKind);

    [Function("Shared1")]
    public static void Shared1([CosmosDBTrigger("d", "shared", Connection = Feed.Connection)] JsonElement changes) =>
        Assert.Equal(JsonValueKind.Array, changes.ValueKind);

    [Function("Shared2")]
    public static void Shared2([CosmosDBTrigger("d", "shared", Connection = Feed.Connection)] JsonElement changes) =>
        Assert.Equal(JsonValueKind.Array, changes.ValueKind);

    [Function("Timeless")]
    public static void Timeless(
        [CosmosDBTrigger("d", "c2", Connection = Feed.Connection, StartFromTime = "yesterday")] JsonElement changes) =>
        Assert.Equal(JsonValueKind.Array, changes.ValueKind);

    [Function("Negative")]
    public static void Negative(
        [CosmosDBTrigger("d", "c3", Connection = Feed.Connection, FeedPollDelay = -1)] JsonElement changes) =>
        Assert.Equal(JsonValueKind.Array, changes.ValueKind);

    [Function("Unset")]
    public static void Unset([CosmosDBTrigger("%Nothing%", "c", Connection = Feed.Connection)] JsonElement changes) =>
        Assert.Equal(JsonValueKind.Array, changes.ValueKind);
}
