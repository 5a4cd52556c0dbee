using System.Net;
using System.Text.Json;
using EventSourcing;
using EventSourcing.Tests;
using Functions.Projections;
using Microsoft.Azure.Cosmos;
using Microsoft.Extensions.DependencyInjection;
using Runtime.Local;

namespace Functions.Tests.Views;

/// <summary>What an operator sees of parked events and projections, and can do about them, over HTTP.</summary>
[Collection(nameof(RunningSystem))]
public sealed class OperationsTests(RunningSystem system)
{
    const string Operations = "/api/operations/projections";

    [Fact]
    public async Task An_event_no_code_can_read_is_listed_with_its_payload_tried_again_and_discarded_with_a_reason()
    {
        var stream = StreamId.Of("customer", Guid.NewGuid());
        var store = system.System.Host.Services.GetRequiredService<IEventStore>();
        Assert.Equal(AppendResult.Appended, await store.AppendAsync(stream, 0, [Unknown(stream)], null, default));
        var listed = await RunningSystem.EventuallyAsync(
            () => system.Admin.GetAsync($"/api/operations/parked?projection=customers&stream={stream}", default),
            answer => answer.Body.GetProperty("parked").GetArrayLength() == 1);
        var parked = listed.Body.GetProperty("parked")[0];
        Assert.Equal("customer-never-heard-of", parked.GetProperty("eventType").GetString());
        Assert.Equal(7, parked.GetProperty("payload").GetProperty("odd").GetInt32());
        Assert.Contains("no event of that name", parked.GetProperty("error").GetString());

        var again = await PostAsync("customers/redrive", new { stream = stream.ToString() });
        Assert.Equal("1", again.Text("parked"));
        Assert.Equal(HttpStatusCode.Conflict, (await DiscardAsync(stream, 2)).Status);
        Assert.Equal("1", (await DiscardAsync(stream, 1)).Text("healed"));

        var none = await system.Admin.GetAsync($"/api/operations/parked?projection=customers&stream={stream}", default);
        Assert.Equal(0, none.Body.GetProperty("parked").GetArrayLength());
    }

    [Fact]
    public async Task A_parked_event_younger_than_asked_for_is_not_listed()
    {
        var none = await system.Admin.GetAsync("/api/operations/parked?olderThan=1000000000", default);
        Assert.Equal(0, none.Body.GetProperty("parked").GetArrayLength());
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await system.Admin.GetAsync("/api/operations/parked?olderThan=x", default)).Status);
    }

    [Fact]
    public async Task A_reconciled_projection_tells_how_far_it_is_behind()
    {
        await system.System.Host.Services.GetRequiredService<Reconciliation>()
            .ReconcileAsync(Functions.Projections.Views.Products, default);
        var rows = (await system.Admin.GetAsync(Operations, default)).Body.GetProperty("projections");
        var products = rows.EnumerateArray().Single(r => r.GetProperty("projection").GetString() == "products");
        Assert.True(products.GetProperty("lagSeconds").GetDouble() >= 0);
        Assert.True(products.GetProperty("eventsBehind").GetInt32() >= 0);
    }

    [Fact]
    public async Task Operations_ask_for_the_admin_key_and_a_projection_there_is()
    {
        Assert.Equal(HttpStatusCode.Unauthorized, (await system.Api.GetAsync(Operations, default)).Status);
        Assert.Equal(
            "unknown-projection",
            (await PostAsync("nothing/pause", new { by = "Ops", why = "Trying" })).Text("code"));
    }

    Task<ApiAnswer> DiscardAsync(StreamId stream, long sequence) => PostAsync(
        "customers/discard", new { stream = stream.ToString(), sequence, by = "Ops", why = "Nobody knows it" });

    Task<ApiAnswer> PostAsync(string path, object body) =>
        system.Admin.PostAsync($"{Operations}/{path}", body, null, default);

    StoredEvent Unknown(StreamId stream) =>
        SampleEvent.Of(stream.ToString(), 1, "customer-never-heard-of", new { odd = 7 }) with
        {
            Timestamp = system.Clock.GetUtcNow(),
        };
}
