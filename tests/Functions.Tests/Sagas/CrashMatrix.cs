using System.Collections.Concurrent;
using Functions.Sagas;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Tests.Sagas;

/// <summary>
/// The process dies in the middle of every step that any saga is seen to call, before and after its effect, and comes
/// back on its files.
/// </summary>
public sealed class CrashMatrix : IAsyncLifetime
{
    const int Always = 1_000;
    const int Large = 20;
    const int Quantity = 200;
    const int TooMany = 5_000;

    static readonly Strike Refused = new(nameof(OrderSteps.ConfirmOrder), Mishap.Refused, Always);
    static readonly Strike Unknown = new(nameof(OrderSteps.ConfirmOrder), Mishap.FaultsBeforeEffect, Always);

    /// <summary>A way a saga goes; of its steps those count that the ways before it do not have.</summary>
    sealed record Way(string Ends, Strike[] Strikes, int Times = 1, string Word = "", bool IsFirstVersion = false);

    static readonly Way Forward = new("order-confirmed", []);
    static readonly Way Backward = new("order-cancelled", [Refused]);
    static readonly Way RuledOut = new("order-cancelled", [Unknown]);
    static readonly Way First = new("order-cancelled", [Refused], IsFirstVersion: true);
    static readonly Way Approved = new("order-confirmed", [], Large, "approve");
    static readonly Way Rejected = new("order-cancelled", [], Large, "reject");
    static readonly Way Overdue = new("order-cancelled", [], Large);
    static readonly Way Returned = new("order-returned", []);
    static readonly Way Restocked = new("restock-received", [], Quantity);
    static readonly Way Abandoned = new("restock-abandoned", [], TooMany);

    sealed record Case(Way Way, string Activity, bool AfterEffect, int Number)
    {
        public Guid Id { get; } = Guid.NewGuid();

        public string Saga => $"{(Way == Returned ? "return" : Way.Ends.Split('-')[0])}-{Id}";

        public TaskCompletionSource Reached { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    readonly string folder = Directory.CreateTempSubdirectory("crash-").FullName;
    readonly ConcurrentDictionary<string, Case> dying = new();
    readonly ConcurrentDictionary<string, string> words = new();
    readonly FaultySystem system;
    int placed;

    public CrashMatrix()
    {
        system = new(folder);

        // The deadline of an approval comes when nothing else is left to be done; who dies holds the clock.
        system.Clock.AutoAdvance = TimeSpan.FromDays(100);
        system.Around = async (context, next) =>
        {
            var saga = $"{context.BindingContext.BindingData.GetValueOrDefault("instanceId")}";
            var activity = context.FunctionDefinition.Name;
            if (dying.TryGetValue(saga, out var @case) && @case.Activity == activity)
                await DieAsync(@case, context, next);
            await system.Strikes.Around(context, next);
            if (activity == nameof(OrderSteps.RequestApproval) && words.TryGetValue(saga, out var word))
                await system.AnswerAsync(saga, word);
        };
    }

    public Task InitializeAsync() => system.InitializeAsync();

    public async Task DisposeAsync()
    {
        await system.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_process_that_dies_in_any_step_takes_every_saga_up_where_it_stood()
    {
        var forward = await CasesAsync(Forward, []);
        var backward = await CasesAsync(Backward, forward);
        var ruledOut = await CasesAsync(RuledOut, [.. forward, .. backward]);
        var overdue = await CasesAsync(Overdue, forward);
        List<Case> others =
        [
            .. forward, .. backward, .. await CasesAsync(Approved, forward), .. await CasesAsync(Rejected, forward),
            .. await CasesAsync(Restocked, []),
        ];
        others.AddRange(await CasesAsync(Abandoned, others));
        var first = backward.Select(c => new Case(First, c.Activity, c.AfterEffect, c.Number)).ToList();
        var returned = await CasesAsync(Returned, []);
        Assert.Equal((2, 8, 8, 10), (ruledOut.Count, overdue.Count, first.Count, returned.Count));
        Assert.InRange(others.Count, 40, 50);
        foreach (var @case in returned) await system.PlaceAsync(@case.Id, @case.Number);
        await system.SettleAsync(returned.Select(@case => @case.Id));

        // Whoever needs time comes before those who hold it by dying. So many die at once as activities have room.
        await DieAsync(ruledOut[..1]);
        await DieAsync(first, () => system.Clock.Advance(TimeSpan.FromDays(201)));
        await DieAsync(others[..18]);
        await ComeBackAsync([.. ruledOut[..1], .. first, .. others[..18]]);

        await DieAsync(ruledOut[1..]);
        await DieAsync(overdue, async () =>
        {
            foreach (var @case in overdue.Where(c => c.Activity != nameof(OrderSteps.RequestApproval)))
                await RunningSystem.EventuallyAsync(
                    () => system.StoryAsync(@case.Saga), story => story.Text("standsAt") == """["approval"]""");
            system.Clock.Advance(TimeSpan.FromHours(73));
        });
        await DieAsync(others[18..36]);
        await ComeBackAsync([.. ruledOut[1..], .. overdue, .. others[18..36]]);

        await DieAsync([.. others[36..], .. returned]);
        await ComeBackAsync([.. others[36..], .. returned]);
    }

    /// <summary>Each step of the way that is new in it, dying before its effect and after it.</summary>
    async Task<List<Case>> CasesAsync(Way way, IReadOnlyList<Case> known)
    {
        var seen = new Case(way, "", false, placed++);
        if (way == Returned)
        {
            await system.PlaceAsync(seen.Id, seen.Number);
            await system.SettleAsync([seen.Id]);
        }

        await BeginAsync(seen);
        await system.SettleAsync([seen.Saga]);
        return [.. system.Strikes.CallsOf(seen.Saga).Distinct().Except(known.Select(c => c.Activity))
            .SelectMany(step => new[] { new Case(way, step, false, placed++), new Case(way, step, true, placed++) })];
    }

    async Task BeginAsync(Case @case)
    {
        var way = @case.Way;
        system.Strikes.Order(@case.Saga, way.Strikes);
        if (way.Word.Length > 0) words[@case.Saga] = way.Word;
        if (way.IsFirstVersion)
            await FirstVersion.StartAsync(
                system, @case.Id, @case.Number, system.Clock.GetUtcNow().AddDays(200));
        var answer = way == Returned
            ? await system.Api.PostAsync(
                $"/api/orders/{@case.Id}/cancellation", new { reason = "It is broken" }, null, default)
            : way == Restocked || way == Abandoned
            ? await system.Api.PutAsync(
                $"/api/restocks/{@case.Id}", new { productId = system.Products[^1], quantity = way.Times }, default)
            : null;
        Assert.True(answer?.IsSuccess != false, $"{answer?.Status} {answer?.Body}");
        if (answer is null) await system.PlaceAsync(@case.Id, @case.Number, way.Times);
    }

    Task DieAsync(IReadOnlyList<Case> cases, Action then) => DieAsync(cases, () =>
    {
        then();
        return Task.CompletedTask;
    });

    async Task DieAsync(IReadOnlyList<Case> cases, Func<Task>? then = null)
    {
        foreach (var @case in cases) dying[@case.Saga] = @case;
        foreach (var @case in cases) await BeginAsync(@case);
        if (then is not null) await then();
        try
        {
            await Task.WhenAll(cases.Select(c => c.Reached.Task)).WaitAsync(TimeSpan.FromMinutes(2));
        }
        catch (TimeoutException)
        {
            Assert.Fail($"Not reached: {string.Join(", ", cases.Where(c => !c.Reached.Task.IsCompleted))}");
        }
    }

    async Task ComeBackAsync(IReadOnlyList<Case> cases)
    {
        await system.CrashAsync();
        dying.Clear();
        await system.StartAsync();
        await system.SettleAsync(cases.Select(c => c.Saga));

        var books = system.Books();
        var wrong = (await books.OpenAsync(system.Products, default)).Select(v => $"{v}").ToList();
        foreach (var @case in cases)
        {
            var stream = @case.Way == Returned ? $"order-{@case.Id}" : @case.Saga;
            var last = (await system.Api.EventsAsync(stream, default))[^1].GetProperty("eventType").GetString();
            Assert.Equal((@case, @case.Way.Ends), (@case, last));
            wrong.AddRange(@case.Way == Returned
                ? (await ReturnBooks.CheckAsync(system, @case.Id, system.LinesOf(@case.Number)))
                    .Select(v => $"{@case}: {v.What}")
                : @case.Way == Restocked || @case.Way == Abandoned
                ? (await RestockBooks.CheckAsync(system, system.Products[^1], @case.Id, @case.Way.Times))
                    .Select(v => $"{@case}: {v.What}")
                : (await books.CheckAsync(@case.Id, system.LinesOf(@case.Number, @case.Way.Times), default))
                    .Select(v => $"{@case}: {v}"));
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    // The step never comes back: the process ends while it runs.
    static async Task DieAsync(Case @case, FunctionContext context, Func<Task> next)
    {
        if (@case.AfterEffect) await next();
        @case.Reached.TrySetResult();
        await new TaskCompletionSource().Task.WaitAsync(context.CancellationToken);
    }
}
