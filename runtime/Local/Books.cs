using System.Collections.Concurrent;
using System.Globalization;
using Commerce.Payments;
using Commerce.Shipping;

namespace Runtime.Local;

/// <summary>Which of an order's books does not balance.</summary>
public enum Book
{
    Order,
    Payment,
    Shipment,
    Stock,

    /// <summary>What a query answers is not what the events say.</summary>
    View,
}

/// <summary>A promise that was broken: whose, in which book, and how.</summary>
public sealed record Violation(Guid Order, Book Book, string What);

/// <summary>
/// The books of ended orders, drawn up from the stored events and from what gateway and carrier say they did: an order
/// ends once, all that was reserved was released or left, all that was authorized was captured or voided, and nothing
/// is shipped that was not paid. When the views have come to rest, queries must say the same.
/// </summary>
public sealed class Books(Api api, Func<PaymentId, PaymentLedger> gateway, Func<ShipmentId, CarrierLedger> carrier)
{
    readonly Dictionary<string, IReadOnlyList<Moved>> stocks = [];

    sealed record Moved(string Type, Guid Reservation, long Quantity);

    /// <summary>How an order ended: its last event's type, null when there is no such order.</summary>
    public ConcurrentDictionary<Guid, string?> Ends { get; } = [];

    /// <summary>Reads the stock streams; later questions about their reservations are answered from memory.</summary>
    public async Task<IReadOnlyList<Violation>> OpenAsync(
        IEnumerable<string> products, CancellationToken cancellation)
    {
        var violations = new List<Violation>();
        foreach (var product in products)
        {
            var events = await api.EventsAsync($"stock-{product}", cancellation);
            stocks[product] = [.. events.Select(e => new Moved(
                e.GetProperty("eventType").GetString()!,
                e.GetProperty("eventData").TryGetProperty("reservation", out var id) ? id.GetGuid() : default,
                e.GetProperty("eventData").GetProperty("quantity").GetInt64()))];
            var left = 0L;
            foreach (var moved in stocks[product])
            {
                left += moved.Type switch
                {
                    "stock-received" or "stock-released" => moved.Quantity,
                    "stock-reserved" => -moved.Quantity,
                    _ => 0,
                };
                if (left < 0) violations.Add(new(moved.Reservation, Book.Stock, $"{product} was oversold by {-left}"));
            }
        }

        return violations;
    }

    /// <summary>What is wrong with one ended order of these lines; nothing, when all is well.</summary>
    public async Task<IReadOnlyList<Violation>> CheckAsync(
        Guid order, IReadOnlyList<(string Product, int Quantity)> lines, CancellationToken cancellation)
    {
        var violations = new List<Violation>();
        void Demand(bool holds, Book book, string what)
        {
            if (!holds) violations.Add(new(order, book, what));
        }

        var told = await TypesAsync($"order-{order}", cancellation);
        var ends = told.Where(type => type is "order-confirmed" or "order-cancelled").ToList();
        var confirmed = ends.Contains("order-confirmed");
        Ends[order] = ends.LastOrDefault() ?? told.LastOrDefault();
        Demand(told.Count(type => type == "order-placed") == 1, Book.Order, $"was placed {string.Join(' ', told)}");
        Demand(ends.Count == 1, Book.Order, $"ended {ends.Count} times: {string.Join(' ', told)}");

        var money = await TypesAsync($"payment-{order}", cancellation);
        var authorized = money.Count(type => type == "payment-authorized");
        var captured = money.Count(type => type == "payment-captured");
        var voided = money.Count(type => type == "payment-voided");
        Demand(captured == (confirmed ? 1 : 0), Book.Payment, $"captured {captured} times");
        Demand(authorized <= 1 && (authorized == 0 || captured + voided == 1), Book.Payment,
            $"authorized {authorized}, captured {captured}, voided {voided} times");
        var ledger = gateway(new(order));
        Demand(ledger.Authorized == ledger.Captured + ledger.Voided, Book.Payment, $"the gateway has {ledger}");
        Demand(ledger.Captured > 0 == confirmed, Book.Payment, $"the gateway took {ledger.Captured}");

        var parcels = await TypesAsync($"shipment-{order}", cancellation);
        var leaves = parcels.Contains("shipment-booked") && !parcels.Contains("shipment-cancelled");
        Demand(leaves == confirmed, Book.Shipment, $"its parcel: {string.Join(' ', parcels)}");
        Demand(!leaves || captured == 1, leaves && confirmed ? Book.Payment : Book.Shipment, "ships without payment");
        var job = carrier(new(order));
        Demand(job.Booked - job.Cancelled == (confirmed ? 1 : 0), Book.Shipment, $"the carrier has {job}");

        foreach (var (product, quantity) in lines) CheckLine(order, product, quantity, confirmed, Demand);

        var seen = (await api.GetAsync($"/api/orders/{order}", cancellation)).Text("status");
        Demand($"order-{seen}" == (ends.LastOrDefault() ?? "order-pending"), Book.View, $"its view says {seen}");
        return violations;
    }

    /// <summary>
    /// What is wrong with the views that add up: the stock of every product, its sales, and those of the customers who
    /// ordered everything in <see cref="Ends"/>.
    /// </summary>
    public async Task<IReadOnlyList<Violation>> CheckTotalsAsync(
        IEnumerable<Guid> customers, CancellationToken cancellation)
    {
        var violations = new List<Violation>();
        async Task DemandAsync(string path, params (string Name, long Value)[] expected)
        {
            var answer = await api.GetAsync(path, cancellation);
            foreach (var (name, value) in expected)
            {
                if (answer.Text(name) != value.ToString(CultureInfo.InvariantCulture))
                    violations.Add(new(default, Book.View, $"{path}: {name} is {answer.Text(name)}, not {value}"));
            }
        }

        foreach (var (product, moved) in stocks)
        {
            long Sum(string type) => moved.Where(m => m.Type == $"stock-{type}").Sum(m => m.Quantity);
            var held = Sum("reserved") - Sum("released") - Sum("committed");
            var onHand = Sum("received") - Sum("committed");
            await DemandAsync(
                $"/api/products/{product}/stock", ("available", onHand - held), ("held", held), ("onHand", onHand));
            await DemandAsync(
                $"/api/products/{product}/statistics",
                ("sold", moved.Count(m => m.Type == "stock-committed")), ("piecesSold", Sum("committed")));
        }

        var sums = new Dictionary<string, long>
        {
            ["orders"] = -Ends.Count,
            ["sold"] = -Ends.Values.Count(end => end == "order-confirmed"),
            ["cancelled"] = -Ends.Values.Count(end => end == "order-cancelled"),
        };
        foreach (var customer in customers)
        {
            var answer = await api.GetAsync($"/api/customers/{customer}/statistics", cancellation);
            foreach (var name in sums.Keys)
                sums[name] += long.Parse(answer.Text(name) ?? "0", CultureInfo.InvariantCulture);
        }

        violations.AddRange(sums.Where(sum => sum.Value != 0).Select(sum =>
            new Violation(default, Book.View, $"the customers' statistics have {sum.Value} {sum.Key} too many")));
        return violations;
    }

    void CheckLine(Guid order, string product, int quantity, bool confirmed, Action<bool, Book, string> demand)
    {
        var moved = stocks[product].Where(m => m.Reservation == order).ToList();
        long Sum(string type) => moved.Where(m => m.Type == type).Sum(m => m.Quantity);
        var (reserved, released, left) = (Sum("stock-reserved"), Sum("stock-released"), Sum("stock-committed"));
        demand(reserved == released + left, Book.Stock,
            $"{product}: reserved {reserved}, released {released}, left {left}");
        demand(left == (confirmed ? quantity : 0), Book.Stock, $"{product}: {left} left the house");
    }

    async Task<List<string>> TypesAsync(string stream, CancellationToken cancellation) =>
        [.. (await api.EventsAsync(stream, cancellation)).Select(e => e.GetProperty("eventType").GetString()!)];
}
