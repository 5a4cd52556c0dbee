using Commerce.Ordering;
using EventSourcing;
using Functions.Choreography;
using Functions.Messaging;
using Microsoft.Extensions.DependencyInjection;
using Runtime.Cosmos;
using Runtime.Local;

namespace Functions.Tests.Choreography;

/// <summary>
/// All that can go wrong between an event and its answers, at the same time and by seeded chance: every event is told,
/// every answer is given once, and each stream is heard in its order.
/// </summary>
public sealed class ChoreographyStormTests
{
    const int Orders = 20;

    static readonly (string Card, string Country, int Times)[] Ways =
    [
        (Wanted.Good, "DE", 1), (Wanted.Good, "DE", 1), (Wanted.Good, "AQ", 1), ("4000 0000 0000 0002", "DE", 1),
        (Wanted.Good, "DE", 2_000),
    ];

    static readonly Mishap[] OfContexts =
        [Mishap.FaultsBeforeEffect, Mishap.FaultsAfterEffect, Mishap.Twice, Mishap.TwiceAtOnce];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Every_event_is_told_every_answer_given_once_and_every_stream_heard_in_order(int seed)
    {
        // A relay that failed for good pauses before it is tried again.
        var system = new ChoreographedSystem { PassesMeanwhile = TimeSpan.FromSeconds(1) };
        await system.InitializeAsync();
        try
        {
            var random = new Random(seed);
            Rage(system, random);
            var orders = Enumerable.Range(0, Orders).Select(_ => Guid.NewGuid()).ToArray();
            foreach (var (number, order) in orders.Index())
            {
                var (card, country, times) = Ways[number % Ways.Length];
                var customer = await Wanted.CustomerAsync(system.Api, number % 7 == 6 ? 1 : 1_000_000_00);
                await system.PlaceAsync(
                    order, card, Catalogue.Address(country: country), customer,
                    [.. system.LinesOf(number).Select(line => (line.Product, line.Quantity * times))], []);
            }

            await system.QuietAsync();
            Assert.True(Rested(system) > 0, $"seed {seed}: nothing came twice");

            // What a context gave up waits with the dead letters, and an order that waits for it is stopped.
            system.Clock.Advance(Order.PendingMax * 2);
            await system.System.Host.Services.GetRequiredService<OverdueOrders>().CancelAsync(default);
            await system.QuietAsync();
            while (await system.RedriveAsync() > 0) await system.QuietAsync();

            await BalancedAsync(system, seed, orders);
            await HeardInOrderAsync(system, seed);
        }
        finally
        {
            await system.DisposeAsync();
        }
    }

    static void Rage(ChoreographedSystem system, Random random)
    {
        var gate = new Lock();
        system.Chance = () =>
        {
            lock (gate) return random.NextDouble() < 0.15 ? OfContexts[random.Next(OfContexts.Length)] : null;
        };

        var broker = system.System.Broker.Faults;
        broker.SendFailures = broker.LostAcknowledgements = broker.Duplicates = 0.1;
        (broker.LockLosses, broker.Reorders, broker.Delays) = (0.05, 0.3, 0.1);
        broker.DelayMax = TimeSpan.FromMilliseconds(50);

        // A mark that is not written, or written unheard, is a relay that dies between its send and its mark.
        foreach (var kind in (CosmosFaultKind[])[CosmosFaultKind.ServiceUnavailable, CosmosFaultKind.AnswerLost])
        foreach (var write in (CosmosOperation[])[CosmosOperation.Create, CosmosOperation.Replace])
            system.System.Cosmos.Faults.Add(
                new(kind) { Container = Outbox.Name, Operation = write, Probability = 0.1 });
    }

    /// <summary>The storm is over; how many deliveries were repetitions.</summary>
    static int Rested(ChoreographedSystem system)
    {
        system.Chance = () => null;
        system.System.Broker.Faults.Clear();
        system.System.Cosmos.Faults.Clear();
        return system.Deliveries - system.FirstDeliveries.Sum(ids => ids.Count);
    }

    static async Task BalancedAsync(ChoreographedSystem system, int seed, Guid[] orders)
    {
        var books = system.Books();
        var wrong = (await books.OpenAsync(system.Products, default)).ToList();
        foreach (var (number, order) in orders.Index())
        {
            var times = Ways[number % Ways.Length].Times;
            wrong.AddRange(await books.CheckAsync(
                order, [.. system.LinesOf(number).Select(line => (line.Product, line.Quantity * times))], default));
        }

        Assert.True(wrong.Count == 0, $"seed {seed}: {string.Join('\n', wrong.Take(20))}");
        Assert.Contains("order-confirmed", books.Ends.Values);
        Assert.Contains("order-cancelled", books.Ends.Values);
    }

    static async Task HeardInOrderAsync(ChoreographedSystem system, int seed)
    {
        var places = await system.System.Host.Services.GetRequiredService<IEventArchive>()
            .ReadAllAsync(null, default).SelectMany(page => page.Events)
            .ToDictionaryAsync(e => e.EventId.ToString("D"), e => e.Sequence);

        // A letter sent again from the dead comes late by nature, under another message id here.
        foreach (var ids in system.FirstDeliveries)
        {
            var heard = ids.Where(places.ContainsKey).Select(id => places[id]).ToList();
            Assert.True(heard.SequenceEqual(heard.Order()), $"seed {seed}: heard {string.Join(' ', heard)}");
        }
    }
}
