using Commerce;
using Commerce.Catalog;
using Commerce.Customers;
using Commerce.Ordering;
using Commerce.Shipping;
using EventSourcing;
using Functions.Http;
using Functions.Projections;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Queries;

/// <summary>Where a parcel is, what is in it and for whom, by the names of today.</summary>
public sealed class DeliveryQueries(ViewContainer views)
{
    [Function(nameof(GetDelivery))]
    public async Task<IResult> GetDelivery(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "orders/{orderId}/delivery")] HttpRequest request,
        string orderId,
        CancellationToken cancellation)
    {
        var id = Request.Valid(OrderId.TryParse(orderId, out var known, out var refusal), known, refusal);
        var token = ConsistencyToken.Of(request);
        var document = await views.ReadAsync<Delivery>(
            Views.Deliveries, ViewKey.Of(id.ToString()), token, ConsistencyToken.WaitOf(request), cancellation);
        if (token is { } asked && !ViewContainer.HasSeen(document, asked)) ViewAnswer.TellStale(request);
        if (document?.View is not { Order: { } order } delivery) return Problem.Of(OrderRefusal.Unknown);

        // An order has a hundred lines at most, and a point read is a request unit.
        var customer = ReferenceAsync(Customer.Stream(order.Customer), cancellation);
        var lines = await Task.WhenAll(order.Lines.Select(async line => new Line(
            line.Product,
            (await ReferenceAsync(Product.Stream(line.Product), cancellation))?.Product?.Name ?? line.Product.Value,
            line.Quantity)));
        var card = (await customer)?.Customer;
        return ViewAnswer.Json(new Shown(
            id,
            order.Status,
            delivery.Parcel?.Status ?? ShipmentStatus.None,
            order.ShipTo,
            card is null ? null : new(card.Customer, card.Name, card.Email, card.Address),
            lines)
        {
            Tracking = delivery.Parcel?.Tracking ?? order.Tracking,
            BookedAt = delivery.Parcel?.BookedAt,
            DispatchedAt = delivery.Parcel?.DispatchedAt ?? order.ShippedAt,
            DeliveredAt = delivery.Parcel?.DeliveredAt ?? order.DeliveredAt,
        });
    }

    async Task<DeliveryReference?> ReferenceAsync(StreamId stream, CancellationToken cancellation) =>
        (await views.ReadAsync<DeliveryReference>(
            Views.DeliveryReferences, ViewKey.Of(stream.ToString()), null, TimeSpan.Zero, cancellation))?.View;

    sealed record Line(ProductId Product, string Name, int Quantity);

    /// <summary>Who waits for it, and where they live now; the parcel goes where the order says.</summary>
    sealed record Recipient(CustomerId Customer, string Name, string Email, Address? Address);

    sealed record Shown(
        OrderId Order,
        OrderStatus OrderStatus,
        ShipmentStatus Status,
        Address ShipTo,
        Recipient? Customer,
        IReadOnlyList<Line> Lines)
    {
        public string? Tracking { get; init; }

        public DateTimeOffset? BookedAt { get; init; }

        public DateTimeOffset? DispatchedAt { get; init; }

        public DateTimeOffset? DeliveredAt { get; init; }
    }
}
