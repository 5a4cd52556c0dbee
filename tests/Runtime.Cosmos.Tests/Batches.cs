using System.Net;
using System.Text;
using Microsoft.Azure.Cosmos;

namespace Runtime.Cosmos.Tests;

public abstract class Batches(RunningServer running)
{
    static readonly PartitionKey Key = new("p");

    public sealed class InMemory(MemoryServer running) : Batches(running), IClassFixture<MemoryServer>;

    public sealed class OnFile(FileServer running) : Batches(running), IClassFixture<FileServer>;

    [Fact]
    public async Task Operations_of_a_batch_see_the_ones_before_them()
    {
        var container = await running.ContainerAsync();
        using var answer = await container.CreateTransactionalBatch(Key)
            .CreateItem(new Line("1", "p", 1))
            .ReadItem("1")
            .PatchItem("1", [PatchOperation.Increment("/number", 4)])
            .ReplaceItem("1", new Line("1", "p", 9))
            .UpsertItem(new Line("2", "p", 2))
            .DeleteItem("2")
            .ExecuteAsync();
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(
            new[] { 201, 200, 200, 200, 201, 204 }.Select(status => (HttpStatusCode)status),
            answer.Select(result => result.StatusCode));
        Assert.Equal(5, answer.GetOperationResultAtIndex<Line>(2).Resource.Number);
        Assert.Equal(9, (await container.ReadItemAsync<Line>("1", Key)).Resource.Number);
        Assert.Equal((await container.ReadItemAsync<Line>("1", Key)).ETag, answer[3].ETag);
    }

    [Fact]
    public async Task A_batch_with_a_conflict_leaves_nothing_and_names_the_operation()
    {
        var container = await running.ContainerAsync();
        await container.CreateItemAsync(new Line("2", "p"), Key);
        using var answer = await container.CreateTransactionalBatch(Key)
            .CreateItem(new Line("1", "p"))
            .CreateItem(new Line("2", "p"))
            .CreateItem(new Line("3", "p"))
            .ExecuteAsync();
        Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
        Assert.Equal(
            new[] { 424, 409, 424 }.Select(status => (HttpStatusCode)status),
            answer.Select(result => result.StatusCode));
        Assert.Contains("already exists", answer.ErrorMessage, StringComparison.Ordinal);
        using var missing = await container.ReadItemStreamAsync("1", Key);
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
    }

    [Fact]
    public async Task A_batch_whose_condition_fails_leaves_nothing()
    {
        var container = await running.ContainerAsync();
        await container.CreateItemAsync(new Line("1", "p"), Key);
        using var answer = await container.CreateTransactionalBatch(Key)
            .CreateItem(new Line("2", "p"))
            .ReplaceItem("1", new Line("1", "p", 5), new() { IfMatchEtag = "\"other\"" })
            .ExecuteAsync();
        Assert.Equal(HttpStatusCode.PreconditionFailed, answer.StatusCode);
        using var absent = await container.CreateTransactionalBatch(Key)
            .ReadItem("9")
            .CreateItem(new Line("2", "p"))
            .ExecuteAsync();
        Assert.Equal(HttpStatusCode.NotFound, absent.StatusCode);
        Assert.Equal(0, (await container.ReadItemAsync<Line>("1", Key)).Resource.Number);
    }

    [Fact]
    public async Task A_unique_key_holds_within_a_batch_and_a_failed_batch_does_not_keep_it()
    {
        var container = await running.ContainerAsync(declared => declared.UniqueKeyPolicy.UniqueKeys.Add(
            new UniqueKey { Paths = { "/name" } }));
        using var twice = await container.CreateTransactionalBatch(Key)
            .CreateItem(new Line("1", "p", Name: "a"))
            .CreateItem(new Line("2", "p", Name: "a"))
            .ExecuteAsync();
        Assert.Equal(HttpStatusCode.Conflict, twice.StatusCode);
        using var swapped = await container.CreateTransactionalBatch(Key)
            .CreateItem(new Line("1", "p", Name: "a"))
            .DeleteItem("1")
            .CreateItem(new Line("2", "p", Name: "a"))
            .ExecuteAsync();
        Assert.Equal(HttpStatusCode.OK, swapped.StatusCode);
    }

    [Fact]
    public async Task A_batch_of_100_operations_is_taken_and_one_of_101_refused()
    {
        var container = await running.ContainerAsync();
        using var most = await Creates(container, 0, 100).ExecuteAsync();
        Assert.Equal(HttpStatusCode.OK, most.StatusCode);
        Assert.Equal(100, most.Count);
        using var more = await Creates(container, 1000, 101).ExecuteAsync();
        Assert.Equal(HttpStatusCode.BadRequest, more.StatusCode);
        using var large = await container.CreateTransactionalBatch(Key)
            .CreateItem(new Line("a", "p", Name: new string('x', 1_100_000)))
            .CreateItem(new Line("b", "p", Name: new string('x', 1_100_000)))
            .ExecuteAsync();
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
        using var none = await container.ReadItemStreamAsync("1000", Key);
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
    }

    [Fact]
    public async Task The_charge_of_a_batch_is_the_sum_of_its_operations()
    {
        var container = await running.ContainerAsync();
        using var answer = await Creates(container, 0, 5).ExecuteAsync();
        Assert.True(answer.RequestCharge > 5 * 4.95);
        using var single = new MemoryStream(Encoding.UTF8.GetBytes("""{"id":"0","pk":"q","number":0}"""));
        using var alone = await container.CreateItemStreamAsync(single, new PartitionKey("q"));
        Assert.True(answer.RequestCharge > alone.Headers.RequestCharge * 4);
    }

    [Fact]
    public async Task Minimal_answers_in_a_batch_have_etags_and_no_content()
    {
        var container = await running.ContainerAsync();
        using var answer = await container.CreateTransactionalBatch(Key)
            .CreateItem(new Line("1", "p"), new() { EnableContentResponseOnWrite = false })
            .ExecuteAsync();
        Assert.Null(answer[0].ResourceStream);
        Assert.NotNull(answer[0].ETag);
    }

    [Fact]
    public async Task In_bulk_each_operation_succeeds_or_fails_alone()
    {
        var container = await running.ContainerAsync();
        await container.CreateItemAsync(new Line("7", "p7"), new PartitionKey("p7"));
        using var client = Clients.InProcess(running.Server, options => options.AllowBulkExecution = true);
        var bulk = client.GetContainer(container.Database.Id, container.Id);
        var statuses = await Task.WhenAll(Enumerable.Range(0, 250).Select(async number =>
        {
            using var text = new MemoryStream(Encoding.UTF8.GetBytes($$"""{"id":"{{number}}","pk":"p{{number}}"}"""));
            using var answer = await bulk.CreateItemStreamAsync(text, new PartitionKey($"p{number}"));
            return answer.StatusCode;
        }));
        Assert.Equal(249, statuses.Count(status => status == HttpStatusCode.Created));
        Assert.Equal(HttpStatusCode.Conflict, statuses[7]);
        Assert.Equal("p249", (await bulk.ReadItemAsync<Line>("249", new PartitionKey("p249"))).Resource.Pk);
    }

    static TransactionalBatch Creates(Container container, int first, int count) => Enumerable.Range(first, count)
        .Aggregate(container.CreateTransactionalBatch(Key), (batch, number) =>
            batch.CreateItem(new Line($"{number}", "p", number)));
}
