using System.Text.Json;
using System.Text.RegularExpressions;
using Functions.Sagas;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Converters;
using Runtime.DurableTask;

namespace Functions.Tests.Sagas;

/// <summary>
/// Sagas as they went under code that was deployed once, replayed against today's: an instance in flight meets whatever
/// is deployed next. The files are never edited; a change that breaks one needs a version of its own.
/// </summary>
public sealed partial class SagaHistories
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
        var folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), $"histories-{version}")).FullName;
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

            await ExportAsync(system, folder, $"order-v{version}-{name}", $"order-{order}");
        }

        await ExportOthersAsync(system, folder, version);
        await system.DisposeAsync();
    }

    /// <summary>The sagas and ways that came with the second version.</summary>
    static async Task ExportOthersAsync(FaultySystem system, string folder, string version)
    {
        foreach (var answer in (string[])["approve", "reject"])
        {
            var order = Guid.NewGuid();
            await system.PlaceAsync(order, 1, times: 20);
            await RunningSystem.EventuallyAsync(
                () => system.StoryAsync(order), story => story.Text("standsAt") == """["approval"]""");
            await system.Api.PostAsync(
                $"/api/orders/{order}/approval", new { decision = answer, reason = "because" }, null, default);
            await RunningSystem.EventuallyAsync(
                () => system.StoryAsync(order), story => story.Text("endedAt") is not null);
            await system.SettleAsync([order]);
            await ExportAsync(system, folder, $"order-v{version}-{answer}", $"order-{order}");
            if (answer == "reject") continue;

            await system.Api.PostAsync($"/api/orders/{order}/cancellation", new { reason = "because" }, null, default);
            await RunningSystem.EventuallyAsync(
                () => system.StoryAsync($"return-{order}"), story => story.Text("endedAt") is not null);
            await system.SettleAsync([$"return-{order}"]);
            await ExportAsync(system, folder, $"return-v{version}-completed", $"return-{order}");
        }

        foreach (var quantity in (int[])[300, 5_000])
        {
            var restock = Guid.NewGuid();
            await system.Api.PutAsync(
                $"/api/restocks/{restock}", new { productId = system.Products[0], quantity }, default);
            await system.SettleAsync([$"restock-{restock}"]);
            await ExportAsync(system, folder, $"restock-v{version}-{quantity}", $"restock-{restock}");
        }
    }

    static async Task ExportAsync(FaultySystem system, string folder, string name, string saga) =>
        await File.WriteAllTextAsync(
            Path.Combine(folder, $"{name}.json"),
            WithoutPlaces().Replace(await system.System.Host.Durable.ExportHistoryAsync(saga), ""));

    /// <summary>Where a stack trace came from on somebody's machine says nothing anywhere else.</summary>
    [GeneratedRegex(""" in [^\\\"]*?:line \d+""")]
    private static partial Regex WithoutPlaces();

    static DurableTaskRegistry Registry()
    {
        var registry = new DurableTaskRegistry();
        registry.AddOrchestratorFunc<PlacedOrder, object?>(
            nameof(OrderSaga), async (context, order) => await OrderSaga.RunAsync(context, order));
        registry.AddOrchestratorFunc<RestockOrder, object?>(
            nameof(RestockSaga), async (context, order) => await RestockSaga.RunAsync(context, order));
        registry.AddOrchestratorFunc<ReturnedOrder, object?>(nameof(ReturnSaga), async (context, order) =>
        {
            await ReturnSaga.RunAsync(context, order);
            return null;
        });
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
