using System.Diagnostics;
using System.Text.RegularExpressions;
using Runtime.Local;

namespace Functions.Tests;

/// <summary>A process killed with -9 in the middle of its work, started again on what it left behind.</summary>
public sealed partial class CrashTests
{
    const int Orders = 50;

    static readonly string[] Cards = ["4242 4242 4242 4242", "4000 0000 0000 0002", "4000 0000 0000 0127"];

    [Theory]
    [InlineData(0)]
    [InlineData(40)]
    [InlineData(90)]
    public async Task Killed_while_orders_run_and_started_again_every_order_ends_and_the_books_balance(
        int eventsBeforeTheKill)
    {
        var folder = Directory.CreateTempSubdirectory("orders-").FullName;
        try
        {
            var orders = Enumerable.Range(0, Orders).Select(_ => Guid.NewGuid()).ToArray();
            using (var first = await ServedAsync(folder))
            {
                var accepted = await Task.WhenAll(orders.Select((order, i) => first.Api.PutAsync(
                    $"/api/orders/{order}", BodyOf(i), default)));
                Assert.All(accepted, answer => Assert.Equal(202, (int)answer.Status));
                await RunningSystem.EventuallyAsync(
                    () => first.Api.EventsAsync("stock-blue-mug", default), events =>
                        events.Count > eventsBeforeTheKill);
                first.Kill();
            }

            using var second = await ServedAsync(folder);
            foreach (var order in orders)
            {
                await RunningSystem.EventuallyAsync(
                    () => second.Api.GetAsync($"/api/sagas/order-{order}", default), saga =>
                        saga.Text("endedAt") is not null);
            }

            await BalancedAsync(second.Api, orders);
            second.Kill();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Killed_while_events_alone_carry_orders_out_and_started_again_every_order_ends_and_balances()
    {
        var folder = Directory.CreateTempSubdirectory("choreography-").FullName;
        try
        {
            var orders = Enumerable.Range(0, Orders).Select(_ => Guid.NewGuid()).ToArray();
            using (var first = await ServedAsync(folder))
            {
                var customer = await Choreography.Wanted.CustomerAsync(first.Api, 1_000_000_00);
                var accepted = await Task.WhenAll(orders.Select((order, i) => first.Api.PutAsync(
                    $"/api/orders/{order}",
                    Choreography.Wanted.Order(
                        Cards[i % Cards.Length], Catalogue.Address(country: i % 7 == 6 ? "AQ" : "DE"), customer,
                        ("blue-mug", 1 + i % 3), ("red-teapot", 1)),
                    default)));
                Assert.All(accepted, answer => Assert.Equal(202, (int)answer.Status));
                await RunningSystem.EventuallyAsync(
                    () => first.Api.EventsAsync("stock-blue-mug", default), events => events.Count > Orders);
                first.Kill();
            }

            using var second = await ServedAsync(folder);
            foreach (var order in orders)
            {
                var types = await RunningSystem.EventuallyAsync(
                    () => TypesAsync(second.Api, $"order-{order}"),
                    types => types[^1] is "order-confirmed" or "order-cancelled");
                if (types[^1] == "order-cancelled") continue;
                await RunningSystem.EventuallyAsync(
                    () => TypesAsync(second.Api, $"payment-{order}"), money => money[^1] == "payment-captured");
                await RunningSystem.EventuallyAsync(
                    () => TypesAsync(second.Api, $"allocation-{order}"), goods => goods[^1] == "allocation-committed");
            }

            await BalancedAsync(second.Api, orders);
            second.Kill();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static object BodyOf(int i) => Catalogue.Order(
        Cards[i % Cards.Length], Catalogue.Address(country: i % 7 == 6 ? "AQ" : "DE"), ("blue-mug", 1 + i % 3),
            ("red-teapot", 1));

    static async Task BalancedAsync(Api api, Guid[] orders)
    {
        var confirmed = new List<Guid>();
        foreach (var order in orders)
        {
            var types = await TypesAsync(api, $"order-{order}");
            Assert.Equal(2, types.Count);
            Assert.Equal("order-placed", types[0]);
            if (types[1] == "order-confirmed") confirmed.Add(order);
            else Assert.Equal("order-cancelled", types[1]);

            var money = string.Join(' ', await TypesAsync(api, $"payment-{order}"));
            if (types[1] == "order-confirmed") Assert.Equal("payment-authorized payment-captured", money);
            else Assert.DoesNotContain("captured", money, StringComparison.Ordinal);
            if (money.Contains("authorized", StringComparison.Ordinal)) Assert.Matches("captured|voided", money);
        }

        foreach (var product in new[] { "blue-mug", "red-teapot" })
        {
            var events = await api.EventsAsync($"stock-{product}", default);
            long Sum(string type) => events.Where(e => e.GetProperty("eventType").GetString() == type)
                .Sum(e => e.GetProperty("eventData").GetProperty("quantity").GetInt64());
            Assert.Equal(Sum("stock-reserved"), Sum("stock-released") + Sum("stock-committed"));
            var committed = events.Where(e => e.GetProperty("eventType").GetString() == "stock-committed")
                .Select(e => e.GetProperty("eventData").GetProperty("reservation").GetGuid());
            Assert.Equal(confirmed.Order(), committed.Order());
            var view = await RunningSystem.EventuallyAsync(
                () => api.GetAsync($"/api/products/{product}/stock", default, $"stock-{product}@{events.Count}"),
                stock => stock.Text("held") == "0");
            Assert.Equal($"{Sum("stock-received") - Sum("stock-committed")}", view.Text("available"));
        }
    }

    static async Task<List<string>> TypesAsync(Api api, string stream) =>
        [.. (await api.EventsAsync(stream, default)).Select(e => e.GetProperty("eventType").GetString()!)];

    static async Task<Served> ServedAsync(string folder)
    {
        var program = typeof(LocalSystem).Assembly.Location;
        var process = Process.Start(new ProcessStartInfo("dotnet", [program, "serve", "--port", "0", "--data", folder])
        {
            RedirectStandardOutput = true,
            WorkingDirectory = folder,
        })!;
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (Address().Match(line) is { Success: true } match) return new(process, new(match.Value));
        }

        throw new InvalidOperationException($"{program} ended with {process.ExitCode} before it was up.");
    }

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+")]
    private static partial Regex Address();

    sealed class Served : IDisposable
    {
        readonly Process process;
        readonly HttpClient http;

        public Served(Process process, Uri address)
        {
            this.process = process;
            http = new() { BaseAddress = address };
            http.DefaultRequestHeaders.Add("x-functions-key", "local-function-key");
            Api = new(http);
        }

        public Api Api { get; }

        public void Kill()
        {
            process.Kill();
            process.WaitForExit();
        }

        public void Dispose()
        {
            if (!process.HasExited) Kill();
            http.Dispose();
            process.Dispose();
        }
    }
}
