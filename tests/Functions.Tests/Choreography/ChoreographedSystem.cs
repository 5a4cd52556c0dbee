using System.Collections.Concurrent;
using System.Diagnostics;
using Azure.Messaging.ServiceBus;
using Commerce.Payments;
using Commerce.Shipping;
using Functions.Choreography;
using Functions.Messaging;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Runtime.DurableTask;
using Runtime.Local;
using Runtime.Worker;

namespace Functions.Tests.Choreography;

/// <summary>What goes wrong when a context hears an event.</summary>
public enum Mishap
{
    FaultsBeforeEffect,
    FaultsAfterEffect,

    /// <summary>Two deliveries of one message, one after the other.</summary>
    Twice,

    /// <summary>Two deliveries of one message at the same time: the first one's lock was lost.</summary>
    TwiceAtOnce,

    /// <summary>Never comes back: the process dies while it runs.</summary>
    DiesBeforeEffect,
    DiesAfterEffect,

    /// <summary>The customer cancels, and the undoing has begun, before the context comes to answer.</summary>
    Overtaken,
}

/// <summary>The first so many times that a context hears an event of one order, this goes wrong.</summary>
public sealed record Strike(string Step, Mishap Mishap, int Times);

/// <summary>
/// The whole system on a virtual clock, with orders that events alone carry out while what contexts hear goes wrong.
/// </summary>
public sealed class ChoreographedSystem : IAsyncLifetime
{
    public const int Always = 1_000;

    static readonly string[] Contexts = ["customers", "inventory", "payments", "shipping", "ordering"];
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    readonly string? folder;
    readonly ConcurrentDictionary<string, IReadOnlyList<Strike>> ordered = new();
    readonly ConcurrentDictionary<string, ConcurrentQueue<string>> heard = new();
    readonly ConcurrentDictionary<string, TaskCompletionSource> deaths = new();
    readonly ConcurrentDictionary<(string Context, string Session), ConcurrentQueue<string>> delivered = new();
    LocalSystem? system;
    HttpClient? http;

    public ChoreographedSystem()
        : this(folder: null)
    {
    }

    internal ChoreographedSystem(string? folder) => this.folder = folder;

    /// <summary>What goes wrong with an event that no strike is ordered for, by chance.</summary>
    public Func<Mishap?> Chance { get; set; } = () => null;

    /// <summary>For every context and session the ids of the messages, in the order in which they first came.</summary>
    public IEnumerable<IReadOnlyList<string>> FirstDeliveries =>
        delivered.Values.Select(ids => ids.Distinct().ToList());

    public int Deliveries => delivered.Values.Sum(ids => ids.Count);

    /// <summary>How much time passes between two looks at an outbox that has not told everything yet.</summary>
    public TimeSpan PassesMeanwhile { get; init; }

    public VirtualClock Clock { get; } = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public SimulatedPaymentGateway Gateway { get; } = new();

    public SimulatedCarrier Carrier { get; } = new();

    public LocalSystem System => system!;

    public Api Api { get; private set; } = null!;

    public IReadOnlyList<string> Products { get; } = [.. Enumerable.Range(0, 24).Select(i => $"matrix-product-{i}")];

    public async Task InitializeAsync()
    {
        await StartAsync();
        await Catalogue.SeedAsync(Api, default);
        await Parallel.ForEachAsync(Products, async (product, stop) =>
        {
            await Api.PutAsync(
                $"/api/products/{product}",
                new { name = "Thing", category = "things", price = new { minorUnits = 1_00, currency = "EUR" } }, stop);
            await Api.PostAsync($"/api/products/{product}/stock", new { quantity = 1_000 }, "opening", stop);
        });
    }

    public async Task StartAsync()
    {
        system = await LocalSystem.StartAsync(
            new()
            {
                Folder = folder,
                Clock = Clock,
                FeedPollDelayMax = TimeSpan.FromMilliseconds(20),
                Around = AroundAsync,
                Settings = RunningSystem.Settings(),
                Replace = services =>
                {
                    services.AddSingleton<IPaymentGateway>(Gateway);
                    services.AddSingleton<ICarrier>(Carrier);
                    services.AddSingleton(new Functions.Choreography.Patience(TimeSpan.Zero, TimeSpan.Zero));
                },
            },
            default);
        http = system.CreateHttpClient();
        Api = new(http);
    }

    public async Task CrashAsync()
    {
        await System.Host.StopAsync(new(canceled: true));
        await DisposeAsync();
    }

    public async Task DisposeAsync()
    {
        http?.Dispose();
        if (system is not null) await system.DisposeAsync();
        system = null;
    }

    public IReadOnlyList<(string Product, int Quantity)> LinesOf(int number) =>
        [(Products[number % 12 * 2], 1), (Products[number % 12 * 2 + 1], 2)];

    public async Task PlaceAsync(
        Guid order, string card, object shipTo, Guid? customer, IReadOnlyList<(string, int)> lines,
        IReadOnlyList<Strike> strikes)
    {
        ordered[$"order-{order}"] = strikes;
        await Wanted.PlaceAsync(http!, order, Wanted.Order(card, shipTo, customer, [.. lines]));
    }

    /// <summary>What contexts have heard of an order so far, each once, in the order of the first times.</summary>
    public IReadOnlyList<string> StepsOf(Guid order) =>
        [.. heard.GetValueOrDefault($"order-{order}", []).Distinct()];

    /// <summary>Completes when the process is about to die in a step of the order.</summary>
    public Task DyingAsync(Guid order) => deaths.GetOrAdd($"order-{order}", _ => new()).Task;

    public void Calm() => ordered.Clear();

    /// <summary>Waits until all is quiet: nothing is told any more, nothing is on its way.</summary>
    public async Task QuietAsync()
    {
        var waited = Stopwatch.StartNew();
        for (var before = -1L; ;)
        {
            await System.Broker.WhenIdleAsync().WaitAsync(Patience);
            var events = await CountAsync();
            if (events == before) return;
            before = events;
            if (waited.Elapsed > Patience) throw new TimeoutException("It never becomes quiet.");
        }
    }

    /// <summary>Events told so far, once the outbox has told all there are.</summary>
    async Task<long> CountAsync()
    {
        var archive = System.Host.Services.GetRequiredService<EventSourcing.IEventArchive>();
        var outbox = System.Host.Services.GetRequiredService<Outbox>();
        var waited = Stopwatch.StartNew();
        while (true)
        {
            var all = await archive.ReadAllAsync(null, default).SelectMany(page => page.Events).ToListAsync();
            if ((await outbox.UntoldAsync(all, default)).Count == 0) return all.Count;
            if (waited.Elapsed > Patience) throw new TimeoutException("The outbox does not tell everything.");
            if (PassesMeanwhile > TimeSpan.Zero) Clock.Advance(PassesMeanwhile);
            await Task.Yield();
        }
    }

    /// <summary>Sends every dead letter again, as the same event; how many there were.</summary>
    public async Task<int> RedriveAsync()
    {
        var client = System.Host.Services.GetRequiredService<ServiceBusClient>();
        await using var topic = client.CreateSender(Outbox.Topic);
        var redriven = 0;
        foreach (var context in Contexts)
        {
            await using var dead = client.CreateReceiver(
                Outbox.Topic, context, new ServiceBusReceiverOptions { SubQueue = SubQueue.DeadLetter });
            while (await dead.ReceiveMessagesAsync(100, TimeSpan.FromMilliseconds(1)) is { Count: > 0 } messages)
            {
                foreach (var message in messages)
                {
                    // Another message to the broker, which would drop the same one; the event in it is the same.
                    await topic.SendMessageAsync(new(message) { MessageId = $"{message.MessageId}/{redriven++}" });
                    await dead.CompleteMessageAsync(message);
                }
            }
        }

        return redriven;
    }

    public Books Books() => new(Api, Gateway.Ledger, Carrier.Ledger);

    async Task AroundAsync(FunctionContext context, Func<Task> next)
    {
        var data = context.BindingContext.BindingData;
        if (!context.FunctionDefinition.Name.StartsWith("React", StringComparison.Ordinal)
            || data.GetValueOrDefault("CorrelationId") is not string order)
        {
            await next();
            return;
        }

        var step = $"{context.FunctionDefinition.Name["React".Length..]} hear {data.GetValueOrDefault("Subject")}";
        var steps = heard.GetOrAdd(order, _ => []);
        steps.Enqueue(step);
        delivered.GetOrAdd((context.FunctionDefinition.Name, (string)data["SessionId"]!), _ => [])
            .Enqueue((string)data["MessageId"]!);
        var times = steps.Count(s => s == step);
        var strike = ordered.GetValueOrDefault(order, []).FirstOrDefault(s => s.Step == step && times <= s.Times);
        await AroundAsync(order, strike?.Mishap ?? Chance(), next, context.CancellationToken);
    }

    async Task AroundAsync(string order, Mishap? mishap, Func<Task> next, CancellationToken cancellation)
    {
        switch (mishap)
        {
            case null:
                await next();
                break;
            case Mishap.FaultsBeforeEffect:
                throw new TimeoutException("Nothing happened.");
            case Mishap.FaultsAfterEffect:
                await next();
                throw new TimeoutException("It happened, and the message comes again.");
            case Mishap.Twice:
                await next();
                await next();
                break;
            case Mishap.TwiceAtOnce:
                await Task.WhenAll(next(), Task.Run(next, cancellation));
                break;
            case Mishap.Overtaken:
                var stopped = await Api.PostAsync(
                    $"/api/orders/{order["order-".Length..]}/cancellation", new { reason = "too slow" }, null,
                    cancellation);
                if (!stopped.IsSuccess) throw new InvalidOperationException($"{stopped.Status} {stopped.Body}");
                var shipment = order.Replace("order-", "shipment-", StringComparison.Ordinal);
                await RunningSystem.EventuallyAsync(
                    () => Api.EventsAsync(shipment, cancellation),
                    events => events.Count > 0 && events[^1].GetProperty("eventType").GetString()
                        is "shipment-cancelled" or "shipment-refused");
                await next();
                break;
            case var dies:
                if (dies == Mishap.DiesAfterEffect) await next();
                deaths.GetOrAdd(order, _ => new()).TrySetResult();
                await new TaskCompletionSource().Task.WaitAsync(cancellation);
                break;
        }
    }
}
