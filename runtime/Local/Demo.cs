using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Runtime.Local;

/// <summary>One thing the demo expects, and what it found by asking the running system over HTTP.</summary>
sealed record Finding(string Expectation, string Expected, string Found)
{
    public bool Holds => Expected == Found;
}

/// <summary>
/// Places orders that end well and badly, shows each saga's story, and checks streams and views against what should be.
/// </summary>
static class Demo
{
    const string Good = "4242 4242 4242 4242";
    const string Declined = "4000 0000 0000 0002";

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    sealed record Story(string Title, Guid Order, object Body)
    {
        public string Stream => $"order-{Order}";
    }

    static readonly Story Confirmed = new(
        "an order that is confirmed", Id(1),
            Catalogue.Order(Good, Catalogue.Address(), ("blue-mug", 2), ("red-teapot", 1)));

    static readonly Story DeclinedPayment = new(
        "an order whose card is declined", Id(2), Catalogue.Order(Declined, Catalogue.Address(), ("blue-mug", 3)));

    static readonly Story OutOfStock = new(
        "an order out of stock on its second line",
        Id(3),
        Catalogue.Order(Good, Catalogue.Address(), ("blue-mug", 4), ("rare-vase", 2)));

    static readonly Story NoShipment = new(
        "an order whose carrier never answers", Id(4),
            Catalogue.Order(Good, Catalogue.Address("00000"), ("red-teapot", 5)));

    static readonly Story SentTwice = new(
        "an order sent twice at once", Id(5), Catalogue.Order(Good, Catalogue.Address(), ("oak-table", 1)));

    static readonly Story BadAddress = new(
        "an order to a country without parcels", Id(6),
            Catalogue.Order(Good, Catalogue.Address(country: "AQ"), ("oak-table", 2)));

    static readonly Story[] Stories = [Confirmed, DeclinedPayment, OutOfStock, NoShipment, SentTwice, BadAddress];

    public static async Task<int> RunAsync(bool json, CancellationToken stop)
    {
        void Say(string line)
        {
            if (!json) Console.WriteLine(line);
        }

        Say("Starting the whole system in memory: Cosmos DB, Durable Task, the Functions host and the functions …");
        // The faults of the demo are told in its stories; as log lines they would only frighten.
        await using var system = await LocalSystem.StartAsync(
            new() { Logging = logging =>
                CommandLine.LogToConsole(logging.AddFilter<ConsoleLoggerProvider>("Function", LogLevel.None)) }, stop);
        using var http = system.CreateHttpClient();
        var api = new Api(http);
        await Catalogue.SeedAsync(api, stop);

        Say($"Placing {Stories.Length} orders on {system.Address} …");
        var placed = await Task.WhenAll(Stories.Append(SentTwice).Select(async story =>
            (story, answer: await api.PutAsync($"/api/orders/{story.Order}", story.Body, stop))));
        var other = await api.PutAsync($"/api/orders/{SentTwice.Order}", Confirmed.Body, stop);

        var sagas = new Dictionary<Story, ApiAnswer>();
        foreach (var story in Stories)
        {
            sagas[story] = await EndOfAsync(api, story, stop);
            Say(Timeline(story, sagas[story]));
        }

        var findings = new List<Finding>();
        foreach (var (story, answer) in placed)
            findings.Add(new($"{story.Title}: accepted", "202", $"{(int)answer.Status}"));
        findings.Add(new(
            "the same id with other content: refused", "409 order-exists-with-other-content",
            $"{(int)other.Status} {other.Text("code")}"));
        await CheckOrdersAsync(api, sagas, findings, stop);
        await CheckStockAsync(api, findings, stop);

        var holds = findings.All(f => f.Holds);
        if (json) Console.WriteLine(JsonSerializer.Serialize(
            new { holds, findings, sagas = sagas.Values.Select(s => s.Body) }, Indented));
        Say(Table(findings));
        Say(holds ? "Everything is as expected." : "NOT everything is as expected.");
        return holds ? 0 : 1;
    }

    static async Task CheckOrdersAsync(
        Api api, Dictionary<Story, ApiAnswer> sagas, List<Finding> findings, CancellationToken stop)
    {
        (Story Story, string Order, string Saga, string Payment)[] expected =
        [
            (Confirmed, "confirmed", "completed", "authorized, captured"),
            (DeclinedPayment, "cancelled: card-declined", "compensated", "declined"),
            (OutOfStock, "cancelled: insufficient-stock", "compensated", "none"),
            (NoShipment, "cancelled: step-failed", "compensated", "authorized, voided"),
            (SentTwice, "confirmed", "completed", "authorized, captured"),
            (BadAddress, "cancelled: address-not-served", "compensated", "authorized, voided"),
        ];
        foreach (var (story, order, saga, payment) in expected)
        {
            var events = await api.EventsAsync(story.Stream, stop);
            var view = await api.GetAsync($"/api/orders/{story.Order}", stop, $"{story.Stream}@{events.Count}");
            var code = view.Text("cancelledCode");
            findings.Add(new($"{story.Title}: saga", saga, sagas[story].Text("status") ?? "unknown"));
            findings.Add(new(
                $"{story.Title}: order view", order, code is null ? $"{view.Text("status")}"
                    : $"{view.Text("status")}: {code}"));
            findings.Add(new(
                $"{story.Title}: placed", "once",
                events.Count(e => TypeOf(e) == "order-placed") == 1 ? "once" : "not once"));
            var moved = await api.EventsAsync($"payment-{story.Order}", stop);
            var money = string.Join(
                ", ", moved.Select(e => TypeOf(e).Replace("payment-", "", StringComparison.Ordinal)));
            findings.Add(new($"{story.Title}: payment", payment, money.Length == 0 ? "none" : money));
        }
    }

    static async Task CheckStockAsync(Api api, List<Finding> findings, CancellationToken stop)
    {
        (string Product, int Received, int Sold, Guid[] GivenBack)[] expected =
        [
            ("blue-mug", 100, 2, [DeclinedPayment.Order, OutOfStock.Order]),
            ("red-teapot", 50, 1, [NoShipment.Order]),
            ("oak-table", 10, 1, [BadAddress.Order]),
            ("rare-vase", 1, 0, []),
        ];
        foreach (var (product, received, sold, givenBack) in expected)
        {
            var events = await api.EventsAsync($"stock-{product}", stop);
            var view = await api.GetAsync($"/api/products/{product}/stock", stop, $"stock-{product}@{events.Count}");
            findings.Add(new(
                $"{product}: {received} received, {sold} sold",
                $"available {received - sold}, held 0",
                $"available {view.Text("available")}, held {view.Text("held")}"));
            foreach (var order in givenBack)
            {
                int Sum(string type) => events
                    .Where(e => TypeOf(e) == type
                        && e.GetProperty("eventData").GetProperty("reservation").GetGuid() == order)
                    .Sum(e => e.GetProperty("eventData").GetProperty("quantity").GetInt32());
                findings.Add(new(
                    $"{product}: what order …{order.ToString()[^2..]} held is given back",
                    $"{Sum("stock-reserved")}", $"{Sum("stock-released")}"));
            }
        }
    }

    static async Task<ApiAnswer> EndOfAsync(Api api, Story story, CancellationToken stop)
    {
        var until = TimeProvider.System.GetUtcNow() + Patience;
        while (true)
        {
            var saga = await api.GetAsync($"/api/sagas/{story.Stream}", stop);
            if (saga.Text("endedAt") is not null || TimeProvider.System.GetUtcNow() > until) return saga;
            await Task.Delay(Pause, TimeProvider.System, stop);
        }
    }

    static string Timeline(Story story, ApiAnswer saga)
    {
        var lines = new List<string> { "", $"{story.Title}  ({story.Stream}, {saga.Text("status")})" };
        if (saga.Body.ValueKind == JsonValueKind.Object)
        {
            var start = saga.Body.GetProperty("startedAt").GetDateTimeOffset();
            foreach (var step in saga.Body.GetProperty("steps").EnumerateArray())
            {
                var at = step.GetProperty("startedAt").GetDateTimeOffset() - start;
                var detail = step.TryGetProperty("detail", out var text) ? $"  {text.GetString()}" : "";
                lines.Add(
                    $"  +{at.TotalSeconds,6:0.00} s  {step.GetProperty("step").GetString(),-28} "
                    + $"{step.GetProperty("kind").GetString(),-12} {step.GetProperty("outcome").GetString(),-8} "
                    + $"x{step.GetProperty("attempts").GetInt32()}{detail}");
            }
        }

        return string.Join('\n', lines);
    }

    static string Table(List<Finding> findings)
    {
        var width = findings.Max(f => f.Expectation.Length);
        var expected = findings.Max(f => f.Expected.Length);
        var lines = findings.Select(f =>
            $"{(f.Holds ? "  ok  " : "  NO  ")}{f.Expectation.PadRight(width)}  {f.Expected.PadRight(expected)}  {f.Found}");
        var head = $"      {"expectation".PadRight(width)}  {"expected".PadRight(expected)}  found";
        return $"\n{head}\n{string.Join('\n', lines)}\n";
    }

    static string TypeOf(JsonElement stored) => stored.GetProperty("eventType").GetString()!;

    static Guid Id(int number) => Guid.Parse($"d0000000-0000-4000-8000-{number:D12}");

    static readonly JsonSerializerOptions Indented = new(JsonSerializerDefaults.Web) { WriteIndented = true };
}
