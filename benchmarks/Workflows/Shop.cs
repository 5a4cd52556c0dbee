using System.Collections.Concurrent;
using System.Diagnostics;
using EventSourcing;
using Functions.Messaging;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Runtime.Cosmos;
using Runtime.Local;
using static Runtime.Local.ApiAnswer;

namespace Benchmarks.Workflows;

/// <summary>How long one order took from its first event.</summary>
sealed record Took(TimeSpan Confirmed, TimeSpan Paid);

/// <summary>What some orders took and cost together.</summary>
sealed record Done(
    IReadOnlyList<Guid> Orders, IReadOnlyList<Took> Took, TimeSpan Backlog, int Events, long Sent, long Heard,
    long Actions, CosmosLedgerSnapshot Ledger)
{
    static readonly string[] Own = ["events", "outbox", "sagas", "leases", "keys"];

    public double ViewsCharge => Sum(line => line.Container is { } name && !Own.Contains(name));

    public double FeedsCharge => Sum(line => line.Container == "leases" || IsFeed(line));

    public double Charge(string container) => Sum(line => line.Container == container && !IsFeed(line));

    public TimeSpan Percentile(Func<Took, TimeSpan> of, double share)
    {
        var sorted = Took.Select(of).Order().ToList();
        return sorted[(int)Math.Min(sorted.Count * share, sorted.Count - 1)];
    }

    double Sum(Func<CosmosLedgerLine, bool> counts) =>
        Ledger.Lines.Where(line => counts(line.Key)).Sum(line => line.Value.Charge);

    static bool IsFeed(CosmosLedgerLine line) => line.Operation == CosmosOperation.ChangeFeed;
}

/// <summary>The whole system in memory with goods, customers and orders of one workflow.</summary>
sealed class Shop : IAsyncDisposable
{
    const int Products = 60;
    const int Customers = 40;

    static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    readonly string workflow;
    readonly Guid[] customers = [.. Enumerable.Range(0, Customers).Select(_ => Guid.NewGuid())];
    readonly ConcurrentDictionary<string, long> calls = new();
    HttpClient? http;

    Shop(string workflow) => this.workflow = workflow;

    public LocalSystem System { get; private set; } = null!;

    Api Api => new(http!);

    public static async Task<Shop> OpenAsync(string workflow, CancellationToken stop)
    {
        var shop = new Shop(workflow);
        shop.System = await LocalSystem.StartAsync(
            new()
            {
                FeedPollDelayMax = TimeSpan.FromMilliseconds(50),
                Logging = logging => logging.ClearProviders(),
                Around = shop.CountAsync,
            },
            stop);
        shop.http = shop.System.CreateHttpClient();
        await shop.StockAsync(stop);
        return shop;
    }

    public async ValueTask DisposeAsync()
    {
        http?.Dispose();
        await System.DisposeAsync();
    }

    /// <summary>Begins so many orders at that pace, whatever becomes of them, and waits for the last of them.</summary>
    public async Task<Done> CarryOutAsync(int count, int perSecond, CancellationToken stop)
    {
        var orders = Enumerable.Range(0, count).Select(_ => Guid.NewGuid()).ToList();
        var (ledger, actions, calledBefore) = (
            System.Cosmos.Ledger.Snapshot(), System.Host.Durable.Counters.Actions, calls.ToDictionary());
        long Calls(Func<string, bool> which) => calls.Where(c => which(c.Key))
            .Sum(c => c.Value - calledBefore.GetValueOrDefault(c.Key));

        var began = Stopwatch.GetTimestamp();
        var placing = new List<Task>();
        foreach (var (i, order) in orders.Index())
        {
            var due = TimeSpan.FromSeconds((double)i / perSecond) - Stopwatch.GetElapsedTime(began);
            if (due > TimeSpan.Zero) await Task.Delay(due, TimeProvider.System, stop);
            placing.Add(PlaceAsync(order, i, stop));
        }

        await Task.WhenAll(placing);
        var last = Stopwatch.GetTimestamp();
        while (Calls(IsPaid) < count || Calls(HasLeft) < count * LeavesPerOrder)
        {
            if (Stopwatch.GetElapsedTime(last) > Patience)
                throw new TimeoutException($"{Calls(IsPaid)} of {count} orders were paid within {Patience}.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, stop);
        }

        var backlog = Stopwatch.GetElapsedTime(last);

        // What follows the last step: views, stories, marks.
        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System, stop);
        var spent = System.Cosmos.Ledger.Snapshot() - ledger;
        var heard = Calls(name => name.StartsWith("React", StringComparison.Ordinal));
        var acted = System.Host.Durable.Counters.Actions - actions;
        var (took, events, sent) = await ReadAsync(orders, stop);
        return new(orders, took, backlog, events, sent, heard, acted, spent);
    }

    public async Task GetAsync(string path, CancellationToken stop) => Demand(await Api.GetAsync(path, stop));

    int LeavesPerOrder => workflow == "choreography" ? 1 : 2;

    bool IsPaid(string call) => call is "CapturePayment" or "ReactPayments order-confirmed.v1";

    bool HasLeft(string call) => call is "CommitStock" or "ReactInventory order-confirmed.v1";

    async Task CountAsync(FunctionContext context, Func<Task> next)
    {
        await next();
        var name = context.FunctionDefinition.Name;
        var subject = context.BindingContext.BindingData.GetValueOrDefault("Subject");
        calls.AddOrUpdate(subject is null ? name : $"{name} {subject}", 1, (_, n) => n + 1);
    }

    async Task<(IReadOnlyList<Took> Took, int Events, long Sent)> ReadAsync(
        IReadOnlyList<Guid> orders, CancellationToken stop)
    {
        var own = orders.Select(order => order.ToString()).ToHashSet();
        var (placed, confirmed, paid) = (
            new Dictionary<string, DateTimeOffset>(), new Dictionary<string, DateTimeOffset>(),
            new Dictionary<string, DateTimeOffset>());
        var (events, sent) = (0, 0L);
        var archive = System.Host.Services.GetRequiredService<IEventArchive>();
        await foreach (var page in archive.ReadAllAsync(null, stop))
        {
            foreach (var stored in page.Events.Where(e => own.Contains(e.CorrelationId)))
            {
                events++;
                if (Integration.Of(stored) is not null) sent++;
                var times = stored.EventType switch
                {
                    "order-placed" => placed,
                    "order-confirmed" => confirmed,
                    "payment-captured" => paid,
                    _ => null,
                };
                times?.Add(stored.CorrelationId, stored.Timestamp);
            }
        }

        return ([.. own.Select(order => new Took(confirmed[order] - placed[order], paid[order] - placed[order]))],
            events, sent);
    }

    async Task PlaceAsync(Guid order, int i, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/api/orders/{order}")
        {
            Content = global::System.Net.Http.Json.JsonContent.Create(new
            {
                customerId = customers[i % Customers],
                lines = new[]
                {
                    new { productId = $"product-{i % Products}", quantity = 1 },
                    new { productId = $"product-{(i + 7) % Products}", quantity = 2 },
                },
                shipTo = Catalogue.Address(),
                payment = new { card = "4242 4242 4242 4242" },
                workflow,
            }),
        };
        request.Headers.Add("X-Correlation-Id", order.ToString());
        Demand(await Api.SendAsync(request, stop));
    }

    async Task StockAsync(CancellationToken stop)
    {
        for (var i = 0; i < Products; i++)
        {
            Demand(await Api.PutAsync(
                $"/api/products/product-{i}",
                new { name = "Thing", category = "things", price = new { minorUnits = 1_00, currency = "EUR" } },
                stop));
            Demand(await Api.PostAsync($"/api/products/product-{i}/stock", new { quantity = 10_000 }, "opening", stop));
        }

        foreach (var customer in customers)
            Demand(await Api.PutAsync(
                $"/api/customers/{customer}",
                new
                {
                    name = "Sample Customer",
                    email = "customer@example.com",
                    creditLimit = new { minorUnits = 1_000_000_00, currency = "EUR" },
                },
                stop));
    }
}
