using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using EventSourcing;
using Runtime.Local;

namespace Functions.Tests.Tracing;

/// <summary>What one request led to is one trace, however much later and wherever it was done.</summary>
[Collection(nameof(RunningSystem))]
public sealed class TraceTests(RunningSystem system)
{
    [Fact]
    public async Task One_trace_goes_from_the_request_through_command_event_projection_and_saga()
    {
        var trace = ActivityTraceId.CreateRandom();
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is Telemetry.Name or "Runtime.Worker",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = span =>
            {
                if (span.TraceId == trace) spans.Enqueue(span);
            },
        };
        ActivitySource.AddActivityListener(listener);

        var order = await PlaceAsync($"00-{trace}-{ActivitySpanId.CreateRandom()}-01");
        await system.SettledAsync(order);
        await RunningSystem.EventuallyAsync(
            () => Task.FromResult(Projected(spans, $"order-{order}")), views => views.Contains("order-details"));

        // The request, its command, the saga's commands on four kinds of streams, and the views of all of them.
        Assert.Contains(spans, span => span is { OperationName: "PutOrder", Source.Name: "Runtime.Worker" });
        var commands = spans.Where(span => span.OperationName == "command").ToList();
        var streams = commands.Select(span => span.GetTagItem("stream")!.ToString()!.Split('-')[0]).Distinct().Order();
        Assert.Equal(["order", "payment", "shipment", "stock"], streams);

        // A saga's step was carried by an invocation of its own, which is linked; its parent is the event.
        var events = await system.Api.EventsAsync($"order-{order}", default);
        var confirmed = commands.Single(span => Equals(span.GetTagItem("command.id"), events[1].Text("commandId")));
        Assert.Equal(events[0].Text("traceparent")!.Split('-')[2], confirmed.ParentSpanId.ToHexString());
        Assert.NotEqual(trace, Assert.Single(confirmed.Links).Context.TraceId);
        Assert.Equal(confirmed.Id, events[1].Text("traceparent"));
    }

    [Fact]
    public async Task Every_event_an_order_led_to_carries_its_trace()
    {
        var trace = ActivityTraceId.CreateRandom().ToHexString();
        var order = await PlaceAsync($"00-{trace}-{ActivitySpanId.CreateRandom()}-00");
        await system.SettledAsync(order);
        foreach (var stream in new[] { "order", "payment", "shipment" })
        {
            var events = await system.Api.EventsAsync($"{stream}-{order}", default);
            Assert.NotEmpty(events);
            Assert.All(events, e => Assert.Equal(trace, e.Text("traceparent")!.Split('-')[1]));
        }
    }

    static List<string> Projected(IEnumerable<Activity> spans, string stream) =>
    [
        .. spans.Where(span => span.OperationName == "project" && Equals(span.GetTagItem("stream"), stream))
            .Select(span => span.GetTagItem("view")!.ToString()!),
    ];

    async Task<Guid> PlaceAsync(string traceparent)
    {
        var product = await system.ProductAsync(stock: 5);
        var order = Guid.NewGuid();
        var request = new HttpRequestMessage(HttpMethod.Put, $"/api/orders/{order}")
        {
            Content = JsonContent.Create(Catalogue.Order("4242 4242 4242 4242", Catalogue.Address(), (product, 1))),
        };
        request.Headers.Add("traceparent", traceparent);
        Assert.True((await system.Api.SendAsync(request, default)).IsSuccess);
        return order;
    }
}
