using System.Text.Json;
using Functions.Sagas;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Converters;
using Runtime.DurableTask;

namespace Functions.Tests.Sagas;

/// <summary>
/// Sagas as they went under code that was deployed once, replayed against today's: an instance in flight meets whatever
/// is deployed next. The files are never edited; a change that breaks one needs a version of its own.
/// </summary>
public sealed class SagaHistories
{
    /// <summary>Set to a version's number, it exports this code's histories under that version's name.</summary>
    const string Export = "EXPORT_SAGA_HISTORIES";

    const int Always = 1_000;

    static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Sagas", "Histories");

    public static TheoryData<string> Files =>
        [.. Directory.GetFiles(Folder, "*.json").Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public void A_history_of_a_deployed_saga_replays_against_todays_code(string file)
    {
        var report = Replay(File.ReadAllText(Path.Combine(Folder, file)), Registry());

        Assert.Null(report.Divergence);
        Assert.True(report.Turns > 1);
    }

    [Fact]
    public async Task Histories_are_exported_when_asked_for()
    {
        if (Environment.GetEnvironmentVariable(Export) is not { Length: > 0 } version) return;
        var folder = Directory.CreateDirectory(Path.Combine("/tmp", $"histories-{version}")).FullName;
        var system = new FaultySystem();
        await system.InitializeAsync();
        (string Name, string? Decision, Strike[] Strikes)[] cases =
        [
            ("confirmed", null, []),
            ("declined", null, [new(nameof(PaymentSteps.AuthorizePayment), Mishap.Refused, Always)]),
            ("carrier-silent", null, [new(nameof(ShipmentSteps.BookShipment), Mishap.FaultsBeforeEffect, Always)]),
            ("pivot-ruled-out", null, [new(nameof(OrderSteps.ConfirmOrder), Mishap.FaultsBeforeEffect, Always)]),
            ("pivot-had-happened", null, [new(nameof(OrderSteps.ConfirmOrder), Mishap.FaultsAfterEffect, Always)]),
            ("void-parked-retried", "retry", [
                new(nameof(ShipmentSteps.BookShipment), Mishap.Refused, Always),
                new(nameof(PaymentSteps.VoidPayment), Mishap.FaultsBeforeEffect, StepPolicy.Behind.AttemptsMax)]),
            ("release-parked-skipped", "skip", [
                new(nameof(ShipmentSteps.BookShipment), Mishap.Refused, Always),
                new(nameof(StockSteps.ReleaseStock), Mishap.FaultsBeforeEffect, Always)]),
            ("commit-parked-resolved", "resolve", [
                new(nameof(StockSteps.CommitStock), Mishap.FaultsBeforeEffect, 2 * StepPolicy.Behind.AttemptsMax)]),
            ("in-flight", null, [new(nameof(ShipmentSteps.CancelShipment), Mishap.FaultsBeforeEffect, Always),
                new(nameof(OrderSteps.ConfirmOrder), Mishap.Refused, Always)]),
        ];
        foreach (var (name, decision, strikes) in cases)
        {
            var order = Guid.NewGuid();
            system.Strikes.Order(order, strikes);
            await system.PlaceAsync(order, 0);
            await system.SettleAsync([order]);
            while (decision is not null
                && (await system.StoryAsync(order)) is var story && story.Text("status") == "parked")
            {
                foreach (var stop in story.Body.GetProperty("parked").EnumerateArray())
                    await system.DecideAsync(
                        order, decision, stop.GetProperty("step").GetString()!, stop.GetProperty("stop").GetInt32());
                await system.SettleAsync([order]);
            }

            await File.WriteAllTextAsync(
                Path.Combine(folder, $"order-v{version}-{name}.json"),
                await system.System.Host.Durable.ExportHistoryAsync($"order-{order}"));
        }

        await system.DisposeAsync();
    }

    static DurableTaskRegistry Registry()
    {
        var registry = new DurableTaskRegistry();
        registry.AddOrchestratorFunc<PlacedOrder, object?>(
            nameof(OrderSaga), async (context, order) => await OrderSaga.RunAsync(context, order));
        return registry;
    }

    // As the worker's own serializer reads them.
    static ReplayReport Replay(string history, DurableTaskRegistry registry) => DurableEngine.Replay(
        history,
        registry,
        options: new()
        {
            DataConverter = new JsonDataConverter(new JsonSerializerOptions { PropertyNameCaseInsensitive = true }),
        });
}
