using Microsoft.Azure.Cosmos;
using Runtime.Cosmos.Charges;

namespace Runtime.Cosmos.Tests;

/// <summary>What the published model says an operation costs: docs/internals/request-units.md.</summary>
public sealed class Charges(MemoryServer running) : IClassFixture<MemoryServer>
{
    static readonly PartitionKey Key = new("p");

    [Theory]
    [InlineData(500, 1.00, 4.95)]
    [InlineData(1024, 1.00, 4.95)]
    [InlineData(2 * 1024, 1.04, 6.29)]
    [InlineData(3 * 1024, 1.09, 6.48)]
    [InlineData(64 * 1024, 4.76, 22.67)]
    [InlineData(100 * 1024, 7.68, 37.02)]
    [InlineData(2048 * 1024, 291.80, 1250.00)]
    public void Reading_and_writing_cost_by_size(int bytes, double read, double write)
    {
        Assert.Equal(read, RequestUnits.Read(bytes), 2);
        Assert.Equal(write, RequestUnits.Write(bytes), 2);
    }

    [Fact]
    public async Task Indexed_values_add_to_a_write_and_unindexed_ones_do_not()
    {
        var item = new { id = "1", pk = "p", a = 1, b = "x", c = new { d = true, e = new[] { 1, 1, 2 } } };
        var all = await running.ContainerAsync();
        var one = await running.ContainerAsync(declared => Only(declared, "/a/?"));
        var none = await running.ContainerAsync(declared =>
        {
            declared.IndexingPolicy.IndexingMode = IndexingMode.None;
            declared.IndexingPolicy.Automatic = false;
        });

        // Terms: id and _ts always; pk, a, b, c/d, and of c/e the two different elements.
        Assert.Equal(4.95 + (0.2 * 8), (await all.CreateItemAsync(item, Key)).RequestCharge, 2);
        Assert.Equal(4.95 + (0.2 * 3), (await one.CreateItemAsync(item, Key)).RequestCharge, 2);
        Assert.Equal(4.95, (await none.CreateItemAsync(item, Key)).RequestCharge, 2);

        // Replacing: what was, what will be, and the terms that differ (a and _ts, out and in).
        var changed = item with { a = 2 };
        Assert.Equal(9.90, (await none.ReplaceItemAsync(changed, "1", Key)).RequestCharge, 2);
        Assert.InRange((await one.ReplaceItemAsync(changed, "1", Key)).RequestCharge, 10.29, 10.71);
        var patched = await one.PatchItemAsync<Line>("1", Key, [PatchOperation.Set("/a", 3)]);
        Assert.InRange(patched.RequestCharge, 10.69, 11.11);
        Assert.Equal(4.95 + (0.2 * 8), (await all.DeleteItemAsync<Line>("1", Key)).RequestCharge, 2);
    }

    [Fact]
    public async Task What_ends_without_effect_costs_a_little()
    {
        var container = await running.ContainerAsync();
        var created = await container.CreateItemAsync(new Line("1", "p"), Key);
        using var same = await container.ReadItemStreamAsync("1", Key, new() { IfNoneMatchEtag = created.ETag });
        using var missing = await container.ReadItemStreamAsync("2", Key);
        Assert.Equal((1, 1), (same.Headers.RequestCharge, missing.Headers.RequestCharge));
        var conflict = await Rows.RefusedAsync(System.Net.HttpStatusCode.Conflict, () =>
            container.CreateItemAsync(new Line("1", "p"), Key));
        var outdated = await Rows.RefusedAsync(System.Net.HttpStatusCode.PreconditionFailed, () =>
            container.DeleteItemAsync<Line>("1", Key, new() { IfMatchEtag = "\"x\"" }));
        Assert.Equal((1.24, 1.24), (conflict.RequestCharge, outdated.RequestCharge));
    }

    [Fact]
    public async Task A_failed_batch_pays_for_what_it_did_before_it_failed()
    {
        var container = await running.ContainerAsync();
        await container.CreateItemAsync(new Line("tip", "p"), Key);
        using var conflict = await container.CreateTransactionalBatch(Key)
            .ReadItem("tip").CreateItem(new Line("tip", "p")).CreateItem(new Line("next", "p")).ExecuteAsync();
        Assert.Equal(1 + 1.24, conflict.RequestCharge, 2);
    }

    [Fact]
    public async Task A_feed_costs_what_reading_its_items_costs()
    {
        var container = await running.ContainerAsync();
        foreach (var id in Enumerable.Range(0, 5))
        {
            await container.CreateItemAsync(new Line($"{id}", "p"), Key);
        }

        using var pages = container.GetChangeFeedIterator<Line>(
            ChangeFeedStartFrom.Beginning(), ChangeFeedMode.Incremental);
        Assert.Equal(5, (await pages.ReadNextAsync()).RequestCharge);
        Assert.Equal(1, (await pages.ReadNextAsync()).RequestCharge);
    }

    [Fact]
    public async Task Along_an_index_a_query_pays_for_what_it_answers_and_else_for_what_it_looks_at()
    {
        var indexed = await FilledAsync(await running.ContainerAsync(declared => Only(declared, "/number/?")));
        var tail = "SELECT * FROM c WHERE c.number > 1995 ORDER BY c.number";
        var (few, rows) = await ChargeAsync(indexed, tail);
        Assert.Equal(4, rows);
        Assert.InRange(few, 2.2, 3.3);
        var newest = "SELECT TOP 1 * FROM c ORDER BY c.number DESC";
        Assert.InRange((await ChargeAsync(indexed, newest)).Charge, 2.2, 3.0);
        Assert.InRange((await ChargeAsync(indexed, newest, key: null)).Charge, 2.2, 3.0);
        Assert.InRange((await ChargeAsync(indexed, "SELECT VALUE COUNT(1) FROM c WHERE c.number > 10")).Charge, 2.2, 5);

        // The same question asked of a value no index carries looks at everything.
        var (many, _) = await ChargeAsync(indexed, "SELECT * FROM c WHERE c.name = 'n1996'");
        Assert.InRange(many, 2.2 + (2000 * 0.025), 100);
        await Rows.RefusedAsync(System.Net.HttpStatusCode.BadRequest, () =>
            indexed.QueryAsync("SELECT * FROM c ORDER BY c.name", "p"));
    }

    [Fact]
    public async Task The_charge_of_a_query_does_not_depend_on_how_the_server_finds_its_rows()
    {
        // Few enough to be looked at one by one, and then too many for that.
        var container = await running.ContainerAsync();
        for (var number = 0; number < 100; number++)
        {
            await container.CreateItemAsync(new Line($"{number:D4}", "p", number), Key);
        }

        var query = "SELECT * FROM c WHERE c.number >= 10 AND c.number < 20 ORDER BY c.number";
        var (scanned, _) = await ChargeAsync(container, query);
        for (var number = 100; number < 200; number++)
        {
            await container.CreateItemAsync(new Line($"{number:D4}", "p", number), Key);
        }

        Assert.Equal(scanned, (await ChargeAsync(container, query)).Charge, 2);
    }

    static void Only(ContainerProperties declared, string path)
    {
        declared.IndexingPolicy.IncludedPaths.Add(new() { Path = path });
        declared.IndexingPolicy.ExcludedPaths.Add(new() { Path = "/*" });
    }

    static async Task<Container> FilledAsync(Container container)
    {
        for (var first = 0; first < 2000; first += 100)
        {
            var batch = container.CreateTransactionalBatch(Key);
            for (var number = first; number < first + 100; number++)
            {
                batch.CreateItem(new Line($"{number:D4}", "p", number, $"n{number}"));
            }

            using var answer = await batch.ExecuteAsync();
            Assert.True(answer.IsSuccessStatusCode);
        }

        return container;
    }

    static async Task<(double Charge, int Rows)> ChargeAsync(Container container, string query, string? key = "p")
    {
        using var pages = container.GetItemQueryIterator<object>(
            query, requestOptions: new() { PartitionKey = key is null ? null : new PartitionKey(key) });
        var (charge, rows) = (0.0, 0);
        while (pages.HasMoreResults)
        {
            var page = await pages.ReadNextAsync();
            (charge, rows) = (charge + page.RequestCharge, rows + page.Count);
        }

        return (charge, rows);
    }
}
