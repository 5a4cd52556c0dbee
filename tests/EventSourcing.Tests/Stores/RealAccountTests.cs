using System.Reflection;
using EventSourcing.Cosmos;
using Microsoft.Azure.Cosmos;

namespace EventSourcing.Tests.Stores;

/// <summary>
/// The same conformance suite on a real account, when the environment names one. It makes a database of its own,
/// <c>event-store-conformance</c>, and deletes it afterwards.
/// </summary>
public sealed class RealAccountTests
{
    const string Setting = "COSMOS_CONNECTION_STRING";
    const string Name = "event-store-conformance";

    [RealAccountFact]
    public async Task A_real_account_passes_the_whole_suite()
    {
        // An emulator knows no other mode.
        using var client = new CosmosClient(
            Environment.GetEnvironmentVariable(Setting), new() { ConnectionMode = ConnectionMode.Gateway });
        Database database = await client.CreateDatabaseIfNotExistsAsync(Name);
        try
        {
            await database.CreateContainerIfNotExistsAsync(CosmosContainers.Events("events"));
            Assert.Empty(await FailuresAsync(new CosmosEventStore(database.GetContainer("events"))));
        }
        finally
        {
            await database.DeleteAsync();
        }
    }

    [Fact]
    public async Task A_suite_that_fails_somewhere_is_not_passed()
    {
        var forgetful = new WatchedStore(new InMemoryEventStore()) { AfterAppend = () => throw new IOException() };
        var failures = await FailuresAsync(forgetful);
        Assert.Contains(failures, f => f.StartsWith(
            nameof(EventStoreConformance.What_is_appended_is_read_back_exactly), StringComparison.Ordinal));
        Assert.DoesNotContain(failures, f => f.StartsWith(
            nameof(EventStoreConformance.A_stream_nobody_wrote_to_is_empty), StringComparison.Ordinal));
        Assert.Empty(await FailuresAsync(new InMemoryEventStore()));
    }

    /// <summary>Runs every test of the suite here: xunit decides what to skip before it knows the store.</summary>
    static async Task<List<string>> FailuresAsync(IEventStore store)
    {
        var failures = new List<string>();
        foreach (var test in typeof(EventStoreConformance).GetMethods().Where(
            method => method.GetCustomAttribute<FactAttribute>() is not null))
        {
            var rows = test.GetCustomAttributes<InlineDataAttribute>().SelectMany(row => row.GetData(test)).ToList();
            foreach (var row in rows.Count > 0 ? rows : [[]])
            {
                try
                {
                    await (Task)test.Invoke(new Suite(store), row)!;
                }
                catch (Exception failure) when (failure is not OutOfMemoryException)
                {
                    failures.Add($"{test.Name}({string.Join(", ", row)}): {failure}");
                }
            }
        }

        return failures;
    }

    sealed class Suite(IEventStore store) : EventStoreConformance(store);

    [AttributeUsage(AttributeTargets.Method)]
    sealed class RealAccountFactAttribute : FactAttribute
    {
        public RealAccountFactAttribute()
        {
            if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(Setting)))
                Skip = $"{Setting} names no Cosmos DB account; set it to a connection string to run this.";
        }
    }
}
