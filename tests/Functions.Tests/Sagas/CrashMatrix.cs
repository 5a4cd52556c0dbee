using System.Collections.Concurrent;
using Functions.Sagas;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Tests.Sagas;

/// <summary>
/// The process dies in the middle of every step, before and after its effect, and comes back on its files.
/// </summary>
public sealed class CrashMatrix
{
    const int Always = 1_000;

    static readonly string[] Forward =
    [
        nameof(StockSteps.ReserveStock), nameof(PaymentSteps.AuthorizePayment), nameof(ShipmentSteps.BookShipment),
        nameof(OrderSteps.ConfirmOrder), nameof(PaymentSteps.CapturePayment), nameof(StockSteps.CommitStock),
    ];

    static readonly string[] Backward =
    [
        nameof(ShipmentSteps.CancelShipment), nameof(PaymentSteps.VoidPayment), nameof(StockSteps.ReleaseStock),
        nameof(OrderSteps.CancelOrder),
    ];

    sealed record Case(string Activity, bool AfterEffect, bool Compensates)
    {
        public Guid Order { get; } = Guid.NewGuid();

        public TaskCompletionSource Reached { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    [Fact]
    public async Task A_process_that_dies_in_any_step_takes_every_order_up_where_it_stood()
    {
        var folder = Directory.CreateTempSubdirectory("crash-").FullName;
        var system = new FaultySystem(folder);
        try
        {
            await system.InitializeAsync();
            List<Case> cases =
            [
                .. Forward.SelectMany(a => new[] { new Case(a, false, false), new Case(a, true, false) }),
                .. Backward.SelectMany(a => new[] { new Case(a, false, true), new Case(a, true, true) }),
            ];
            var dying = new ConcurrentDictionary<string, Case>(
                cases.Select(c => KeyValuePair.Create($"order-{c.Order}", c)));
            system.Around = (context, next) =>
                context.BindingContext.BindingData.TryGetValue("instanceId", out var saga)
                && dying.TryGetValue($"{saga}", out var @case) && @case.Activity == context.FunctionDefinition.Name
                    ? DieAsync(@case, context, next)
                    : system.Strikes.Around(context, next);
            foreach (var (number, @case) in cases.Index())
            {
                system.Strikes.Order(@case.Order, @case.Compensates
                    ? [new(nameof(OrderSteps.ConfirmOrder), Mishap.Refused, Always)]
                    : []);
                await system.PlaceAsync(@case.Order, number);
            }

            await Task.WhenAll(cases.Select(c => c.Reached.Task)).WaitAsync(TimeSpan.FromMinutes(2));
            await system.CrashAsync();
            dying.Clear();
            await system.StartAsync();

            await system.SettleAsync(cases.Select(c => c.Order));
            var books = system.Books();
            Assert.Empty(await books.OpenAsync(system.Products, default));
            foreach (var (number, @case) in cases.Index())
            {
                Assert.Empty(await books.CheckAsync(@case.Order, system.LinesOf(number), default));
                Assert.Equal(
                    (@case, @case.Compensates ? "order-cancelled" : "order-confirmed"),
                    (@case, books.Ends[@case.Order]));
            }
        }
        finally
        {
            await system.DisposeAsync();
            Directory.Delete(folder, recursive: true);
        }
    }

    // The step never comes back: the process ends while it runs.
    static async Task DieAsync(Case @case, FunctionContext context, Func<Task> next)
    {
        if (@case.AfterEffect) await next();
        @case.Reached.TrySetResult();
        await new TaskCompletionSource().Task.WaitAsync(context.CancellationToken);
    }
}
