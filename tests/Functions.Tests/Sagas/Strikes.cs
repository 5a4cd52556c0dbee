using System.Collections.Concurrent;
using EventSourcing;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Tests.Sagas;

/// <summary>What goes wrong with a call of an activity.</summary>
public enum Mishap
{
    Refused,
    FaultsBeforeEffect,
    FaultsAfterEffect,

    /// <summary>Answers long after everybody stopped waiting, and has its effect only then.</summary>
    HangsThenHappens,

    /// <summary>
    /// Answers what its saga can not read: the orchestration dies of it, as of any defect of its code.
    /// </summary>
    BreaksBeforeEffect,
    BreaksAfterEffect,
}

/// <summary>The first so many calls of one activity in one saga go wrong.</summary>
public sealed record Strike(string Activity, Mishap Mishap, int Times);

/// <summary>Lets activities fail as ordered, saga by saga, and remembers which were called.</summary>
public sealed class Strikes(TimeProvider clock)
{
    public static readonly TimeSpan Hang = TimeSpan.FromSeconds(45);

    const string Garbled = "neither a refusal nor none";

    readonly ConcurrentDictionary<string, IReadOnlyList<Strike>> ordered = new();
    readonly ConcurrentDictionary<string, ConcurrentQueue<string>> calls = new();

    public void Order(Guid order, IReadOnlyList<Strike> strikes) => Order($"order-{order}", strikes);

    public void Order(string saga, IReadOnlyList<Strike> strikes) => ordered[saga] = strikes;

    /// <summary>The activities called for an order so far, in the order of the calls.</summary>
    public IReadOnlyList<string> CallsOf(Guid order) => CallsOf($"order-{order}");

    public IReadOnlyList<string> CallsOf(string saga) => [.. calls[saga]];

    /// <summary>Once before, once after the effect: what a retry must heal.</summary>
    public static IEnumerable<Strike> Once(string step) =>
        [new(step, Mishap.FaultsBeforeEffect, 1), new(step, Mishap.FaultsAfterEffect, 1)];

    /// <summary>Once before, once after the effect: what breaks the saga, so that an operator runs it again.</summary>
    public static IEnumerable<Strike> Breaks(string step) =>
        [new(step, Mishap.BreaksBeforeEffect, 1), new(step, Mishap.BreaksAfterEffect, 1)];

    /// <summary>What may not be given up: heals by itself, or parks and an operator decides.</summary>
    public static IEnumerable<(Strike Strike, string? Decision)> Ways(string step, int attemptsMax)
    {
        foreach (var strike in Once(step)) yield return (strike, null);
        foreach (var decision in (string[])["retry", "skip", "resolve"])
        {
            yield return (new(step, Mishap.Refused, 1), decision);
            yield return (new(step, Mishap.FaultsBeforeEffect, attemptsMax), decision);
            yield return (new(step, Mishap.FaultsAfterEffect, attemptsMax), decision);
        }
    }

    /// <summary>Passes everything through but the activities of orders that something was ordered for.</summary>
    public Task Around(FunctionContext context, Func<Task> next)
    {
        var activity = context.FunctionDefinition.Name;
        return context.BindingContext.BindingData.TryGetValue("instanceId", out var saga)
            && saga is string id && activity != nameof(Functions.Sagas.SagaStories.TellSagaStory)
            && ordered.TryGetValue(id, out var strikes)
            ? StruckAsync(context, next, id, activity, strikes)
            : next();
    }

    async Task StruckAsync(
        FunctionContext context, Func<Task> next, string saga, string activity, IReadOnlyList<Strike> strikes)
    {
        var made = calls.GetOrAdd(saga, _ => []);
        made.Enqueue(activity);
        var call = made.Count(name => name == activity);
        switch (strikes.FirstOrDefault(strike => strike.Activity == activity && call <= strike.Times)?.Mishap)
        {
            case null:
                await next();
                break;
            case Mishap.Refused:
                context.GetInvocationResult().Value = new Refusal("made-up", "Refused on purpose.");
                break;
            case Mishap.FaultsBeforeEffect:
                throw new TimeoutException("No answer, and nothing happened.");
            case Mishap.FaultsAfterEffect:
                await next();
                throw new TimeoutException("It happened, and the answer was lost.");
            case Mishap.BreaksBeforeEffect:
                context.GetInvocationResult().Value = Garbled;
                break;
            case Mishap.BreaksAfterEffect:
                await next();
                context.GetInvocationResult().Value = Garbled;
                break;
            default:
                var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                await using (clock.CreateTimer(_ => over.TrySetResult(), null, Hang, Timeout.InfiniteTimeSpan))
                    await over.Task.WaitAsync(context.CancellationToken);
                await next();
                break;
        }
    }
}
