using Commerce;
using Commerce.Inventory;
using EventSourcing;
using Microsoft.Azure.Functions.Worker;
using static Commerce.Inventory.StockCommand;

namespace Functions.Sagas;

public sealed record StockStep(Origin Origin, ProductId Product, int Quantity);

/// <summary>What sagas ask of the stock. Each call is a command with an id made of the saga and the step.</summary>
public sealed class StockSteps(CommandHandler<Stock, StockCommand, StockEvent> stocks)
{
    [Function(nameof(ReserveStock))]
    public Task<Refusal?> ReserveStock([ActivityTrigger] StockStep step, CancellationToken cancellation) =>
        AskAsync(step, "reserve", new Reserve(ReservationId.Of(step.Origin.Order), step.Quantity), cancellation);

    [Function(nameof(ReleaseStock))]
    public Task<Refusal?> ReleaseStock([ActivityTrigger] StockStep step, CancellationToken cancellation) =>
        AskAsync(step, "release", new Release(ReservationId.Of(step.Origin.Order)), cancellation);

    [Function(nameof(CommitStock))]
    public Task<Refusal?> CommitStock([ActivityTrigger] StockStep step, CancellationToken cancellation) =>
        AskAsync(step, "commit", new Commit(ReservationId.Of(step.Origin.Order)), cancellation);

    async Task<Refusal?> AskAsync(StockStep step, string name, StockCommand command, CancellationToken cancellation) =>
        (await stocks.HandleAsync(
            Stock.Stream(step.Product), command, step.Origin.Command(name), cancellation)).Refusal;
}
