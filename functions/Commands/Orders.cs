using System.Collections.Immutable;
using Commerce;
using Commerce.Catalog;
using Commerce.Customers;
using Commerce.Ordering;
using Commerce.Payments;
using EventSourcing;
using Functions.Http;
using Functions.Sagas;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Commands;

/// <summary>
/// Takes orders, and what customers and approvers say of them. A request only records it: whatever that event starts or
/// wakes does the rest.
/// </summary>
public sealed class Orders(
    CommandHandler<Order, OrderCommand, OrderEvent> orders,
    CommandHandler<Product, ProductCommand, ProductEvent> products,
    CommandHandler<Customer, CustomerCommand, CustomerEvent> customers,
    SagaSettings settings)
{
    /// <summary>How old a price may be that this instance knows without asking the store again.</summary>
    static readonly TimeSpan PriceAgeMax = TimeSpan.FromSeconds(5);

    sealed record OrderBody(
        string? CustomerId,
        IReadOnlyList<LineBody?>? Lines,
        AddressBody? ShipTo,
        PaymentBody? Payment,
        string? Workflow);

    sealed record LineBody(string? ProductId, int? Quantity);

    sealed record PaymentBody(string? Card);

    sealed record CancellationBody(string? Reason);

    sealed record ApprovalBody(string? Decision, string? Reason);

    [Function(nameof(PutOrder))]
    public async Task<IResult> PutOrder(
        [HttpTrigger(AuthorizationLevel.Function, "put", Route = "orders/{orderId}")] HttpRequest request,
        string orderId,
        CancellationToken cancellation)
    {
        var order = Id(orderId);
        var body = await Request.BodyAsync<OrderBody>(request, cancellation);
        var customer = Request.Valid(
            CustomerId.TryParse(Request.Required(body.CustomerId, "customerId"), out var id, out var refusal),
            id,
            refusal);
        var card = Request.Valid(
            CardToken.TryFrom(Request.Required(body.Payment?.Card, "payment.card"), out var token, out refusal),
            token,
            refusal);
        var shipTo = Request.Required(body.ShipTo, "shipTo").ToAddress();
        var lines = LinesOf(body.Lines);

        if ((await customers.KnownAsync(
            Customer.Stream(customer), TimeSpan.MaxValue, cancellation)).State.Registration is null)
            return Problem.Of(new("unknown-customer", $"There is no customer {customer}.", RefusalKind.Unknown));
        var priced = await PriceAsync(lines, cancellation);
        var workflow = body.Workflow ?? Order.Orchestration;

        // No id of its own for the command: the order's id is the key, and its decider knows a repeat from another
        // order.
        var outcome = await orders.HandleAsync(
            Order.Stream(order),
            new OrderCommand.Place(customer, priced, shipTo, card, workflow, ApproveWithin(workflow, priced)),
            Request.Command(request) with { LikelyNew = true },
            cancellation);
        return Answer.To(request, outcome, $"/api/orders/{order}", StatusCodes.Status202Accepted);
    }

    /// <summary>
    /// The customer wants out. Before the order is confirmed its saga takes back what it did; behind that a return
    /// begins. Which of the two it is the order's stream decides, and the answer says.
    /// </summary>
    [Function(nameof(PostCancellation))]
    public async Task<IResult> PostCancellation(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "orders/{orderId}/cancellation")] HttpRequest request,
        string orderId,
        CancellationToken cancellation)
    {
        var order = Id(orderId);
        var body = await Request.BodyAsync<CancellationBody>(request, cancellation);
        var context = Request.Command(request);
        var outcome = await orders.HandleAsync(
            Order.Stream(order),
            new OrderCommand.Withdraw(Request.Required(body.Reason, "reason"), context.UserId ?? "customer"),
            context,
            cancellation);

        // Both sagas are started by the events; here is only said which of them to look at.
        var (becomes, saga) = outcome.State.Return is null
            ? ("cancellation", OrderSaga.IdOf(order))
            : ("return", ReturnSaga.IdOf(order));
        return Answer.To(
            request, outcome, $"/api/orders/{order}", StatusCodes.Status202Accepted,
                new(becomes, $"/api/sagas/{saga}"));
    }

    /// <summary>
    /// Somebody's word on an order that waits for it. Given once it stands: the same word again is a repeat, another
    /// one, or one that comes too early or too late, is refused and changes nothing.
    /// </summary>
    [Function(nameof(PostApproval))]
    public async Task<IResult> PostApproval(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "orders/{orderId}/approval")] HttpRequest request,
        string orderId,
        CancellationToken cancellation)
    {
        var order = Id(orderId);
        var body = await Request.BodyAsync<ApprovalBody>(request, cancellation);
        var context = Request.Command(request);
        var by = context.UserId ?? "approver";
        OrderCommand command = Request.Required(body.Decision, "decision") switch
        {
            "approve" => new OrderCommand.Approve(by),
            "reject" => new OrderCommand.Reject(Request.Required(body.Reason, "reason"), by),
            _ => throw new InvalidRequestException("invalid-decision", "decision is approve or reject."),
        };
        var outcome = await orders.HandleAsync(Order.Stream(order), command, context, cancellation);
        return Answer.To(request, outcome, $"/api/orders/{order}", StatusCodes.Status202Accepted);
    }

    // Prices in several currencies have no total; the decider refuses them.
    TimeSpan? ApproveWithin(string workflow, ImmutableArray<OrderLine> lines) =>
        workflow == Order.Choreography && lines.DistinctBy(line => line.UnitPrice.Currency).Count() == 1
            ? settings.ApprovalOf(Order.Total(lines))
            : null;

    /// <summary>The price is the catalog's at this moment, never the caller's.</summary>
    async Task<ImmutableArray<OrderLine>> PriceAsync(
        IReadOnlyList<(ProductId Product, int Quantity)> lines, CancellationToken cancellation)
    {
        var priced = await Task.WhenAll(lines.Select(async line =>
            (await products.KnownAsync(
                Product.Stream(line.Product), PriceAgeMax, cancellation)).State.Offer is { } offer
                ? new OrderLine(line.Product, line.Quantity, offer.Price)
                : throw new InvalidRequestException(
                    new("unknown-product", $"There is no product {line.Product}.", RefusalKind.Unknown))));
        return [.. priced];
    }

    static List<(ProductId Product, int Quantity)> LinesOf(IReadOnlyList<LineBody?>? lines)
    {
        Request.Required(lines, "lines");
        if (lines.Count is 0 or > Order.LinesMax)
            throw new InvalidRequestException("invalid-order", $"An order has 1 to {Order.LinesMax} lines.");
        return [.. lines.Select((line, index) =>
        {
            var product = Request.Valid(
                ProductId.TryParse(
                    Request.Required(line?.ProductId, $"lines[{index}].productId"), out var id, out var refusal),
                id,
                refusal);
            var quantity = Request.Required(line!.Quantity, $"lines[{index}].quantity").Value;
            return Quantity.Fault(quantity) is { } fault
                ? throw new InvalidRequestException(fault)
                : (product, quantity);
        })];
    }

    static OrderId Id(string text) =>
        Request.Valid(OrderId.TryParse(text, out var order, out var refusal), order, refusal);
}
