using EventSourcing;
using Microsoft.DurableTask;

namespace Functions.Sagas;

/// <summary>
/// One step: an activity that does it and, when it can be taken back, one that undoes it. Both get the same input, so
/// an undo needs only what was known before its step. Activities return a refusal, null when done, and throw only
/// faults.
/// </summary>
public sealed record Step(string Name, string Do, object Input, string? Undo = null)
{
    /// <summary>
    /// How long one attempt may take; null leaves it to the host's function timeout, which costs no timer.
    /// </summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>
    /// How patiently the step itself is tried; null is <see cref="StepPolicy.Before"/> or, behind the pivot,
    /// <see cref="StepPolicy.Behind"/>. Its undo always has the patience of <see cref="StepPolicy.Behind"/>.
    /// </summary>
    public StepPolicy? Policy { get; init; }
}

/// <summary>How often a step is tried when the world fails, and how long to pause in between.</summary>
public sealed record StepPolicy(int AttemptsMax, TimeSpan FirstPause, TimeSpan PauseMax)
{
    public static readonly StepPolicy Before = new(4, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));

    /// <summary>For undos and steps behind the pivot, which have no way back: patient, then parked.</summary>
    public static readonly StepPolicy Behind = new(8, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));

    public TimeSpan PauseAfter(int attempt) =>
        TimeSpan.FromTicks(Math.Min(FirstPause.Ticks << Math.Min(attempt - 1, 20), PauseMax.Ticks));
}

/// <summary>
/// The vocabulary of a saga: compensable steps, one pivot, retryable steps. Before the pivot a refusal or an exhausted
/// step leads to <see cref="UndoAsync"/>, newest first; behind it the saga only goes forward. What may not be given up
/// and fails for good parks the saga until an operator decides.
/// </summary>
public sealed class Saga(TaskOrchestrationContext context, SagaStory begun)
{
    const int DetailLengthMax = 500;

    /// <summary>
    /// The external event that continues a parked step, carrying a <see cref="SagaDecision"/>. It names this one stop:
    /// a second decision about it, come too late, must not decide the next stop of the same step.
    /// </summary>
    public static string DecisionEvent(ParkedStep parked) => $"decision {parked.Stop}: {parked.Step}";

    int stops;

    readonly Stack<Step> undos = [];

    public SagaStory Story { get; private set; } = begun;

    /// <summary>Does a compensable step. The answer is why not, or null when it is done.</summary>
    public Task<Refusal?> TryAsync(Step step)
    {
        Register(step);
        return BackwardAsync(step, StepKind.Compensable);
    }

    /// <summary>Does compensable steps side by side; one refusal, the first in their order, refuses them all.</summary>
    public async Task<Refusal?> TryAllAsync(IEnumerable<Step> steps)
    {
        var group = steps.ToList();
        group.ForEach(Register);
        var refusals = await Task.WhenAll(group.Select(step => BackwardAsync(step, StepKind.Compensable)));
        return refusals.FirstOrDefault(refusal => refusal is not null);
    }

    /// <summary>
    /// The point of no return. Its <see cref="Step.Undo"/> rules it out for good, and refuses when it has already
    /// happened: that settles what an exhausted pivot, of which nobody knows whether it happened, has left open.
    /// </summary>
    public async Task<Refusal?> PivotAsync(Step pivot)
    {
        var (outcome, refusal) = await AttemptAsync(
            Open(pivot.Name, StepKind.Pivot), pivot.Do, pivot, pivot.Policy ?? StepPolicy.Before);
        if (outcome != StepOutcome.Failed) return refusal;

        var tooLate = await ForwardAsync($"rule out {pivot.Name}", pivot.Undo!, pivot, StepKind.Undo, mayRefuse: true);
        return tooLate is null ? refusal : null;
    }

    /// <summary>Does a step that must succeed, however long it takes.</summary>
    public Task MustAsync(Step step) => ForwardAsync(step.Name, step.Do, step, StepKind.Retryable);

    public Task MustAllAsync(IEnumerable<Step> steps) => Task.WhenAll(steps.Select(MustAsync).ToList());

    /// <summary>Takes back every step begun, newest first.</summary>
    public async Task UndoAsync(Refusal refusal)
    {
        await TellAsync(Story with { Status = SagaStatus.Compensating, Refusal = refusal });
        while (undos.TryPop(out var step)) await ForwardAsync($"undo {step.Name}", step.Undo!, step, StepKind.Undo);
    }

    /// <summary>Tells the end of the story.</summary>
    /// <remarks>
    /// A last chapter that cannot be told fails the saga: its work is done, and the watch over the sagas finds it.
    /// </remarks>
    public Task EndAsync() => WriteAsync(Story with
    {
        Status = Story.Refusal is null ? SagaStatus.Completed : SagaStatus.Compensated,
        EndedAt = Now,
    });

    // Registered before the step runs: a step that timed out may have happened all the same.
    void Register(Step step)
    {
        if (step.Undo is null) throw new ArgumentException($"{step.Name} is compensable and names no undo.");
        undos.Push(step);
    }

    async Task<Refusal?> BackwardAsync(Step step, StepKind kind) =>
        (await AttemptAsync(Open(step.Name, kind), step.Do, step, step.Policy ?? StepPolicy.Before)).Refusal;

    async Task<Refusal?> ForwardAsync(string name, string activity, Step step, StepKind kind, bool mayRefuse = false)
    {
        var policy = kind == StepKind.Undo ? StepPolicy.Behind : step.Policy ?? StepPolicy.Behind;
        while (true)
        {
            var at = Open(name, kind);
            var (outcome, refusal) = await AttemptAsync(at, activity, step, policy);
            if (outcome == StepOutcome.Done) return null;
            if (outcome == StepOutcome.Refused && mayRefuse) return refusal;

            // Which way the saga goes hangs on this answer, so it cannot go on without one.
            var decision = await ParkAsync(at, refusal!, maySkip: !mayRefuse);
            if (decision.Action == SagaAction.Retry) continue;
            Amend(at, s => s with
            {
                Outcome = decision.Action == SagaAction.Skip ? StepOutcome.Skipped : StepOutcome.Done,
                Detail = $"{decision.Action} by {decision.By}: {decision.Why}",
            });
            return null;
        }
    }

    int Open(string name, StepKind kind)
    {
        Story = Story with { Steps = [.. Story.Steps, new(name, kind, Now)] };
        context.SetCustomStatus(name);
        return Story.Steps.Count - 1;
    }

    async Task<(StepOutcome Outcome, Refusal? Refusal)> AttemptAsync(
        int at, string activity, Step step, StepPolicy policy)
    {
        for (var attempt = 1; ; attempt++)
        {
            string fault;
            try
            {
                var refusal = await WithinAsync(
                    context.CallActivityAsync<Refusal?>(activity, step.Input), step.Timeout);
                var outcome = refusal is null ? StepOutcome.Done : StepOutcome.Refused;
                Amend(at, s => s with
                {
                    Outcome = outcome,
                    Attempts = attempt,
                    EndedAt = Now,
                    Detail = Fit(refusal?.Detail),
                });
                return (outcome, refusal);
            }
            catch (TaskFailedException failed)
            {
                fault = failed.FailureDetails.ErrorMessage;
            }
            catch (TimeoutException late)
            {
                fault = late.Message;
            }

            fault = Fit(fault)!;
            Amend(at, s => s with { Attempts = attempt, Detail = fault });
            if (attempt == policy.AttemptsMax)
            {
                Amend(at, s => s with { Outcome = StepOutcome.Failed, EndedAt = Now });
                return (StepOutcome.Failed,
                    new("step-failed", $"{Story.Steps[at].Step} failed {attempt} times: {fault}"));
            }

            // Trouble is worth a write: from here on readers see at which step the saga stands.
            if (attempt == 1) await TellAsync(Story);
            await context.CreateTimer(policy.PauseAfter(attempt), CancellationToken.None);
        }
    }

    async Task<T> WithinAsync<T>(Task<T> attempt, TimeSpan? timeout)
    {
        if (timeout is not { } limit) return await attempt;
        using var answered = new CancellationTokenSource();
        var deadline = context.CreateTimer(limit, answered.Token);
        if (await Task.WhenAny(attempt, deadline) == deadline)
            throw new TimeoutException($"no answer within {limit.TotalSeconds:0.#} s");

        // CancelAsync would go on from a thread of its own, which a replay could not repeat.
#pragma warning disable CA1849
        answered.Cancel();
#pragma warning restore CA1849
        return await attempt;
    }

    async Task<SagaDecision> ParkAsync(int at, Refusal why, bool maySkip)
    {
        var step = Story.Steps[at];
        context.SetCustomStatus($"parked at {step.Step}");
        while (true)
        {
            var stop = new ParkedStep(step.Step, Fit(why.Detail)!, step.Attempts, Now, ++stops, maySkip);
            await TellAsync(Story with { Status = SagaStatus.Parked, Parked = [.. Story.Parked, stop] });
            var decision = await context.WaitForExternalEvent<SagaDecision>(DecisionEvent(stop));
            var parked = Story.Parked.Where(p => p.Stop != stop.Stop).ToList();
            await TellAsync(Story with
            {
                Status = parked.Count > 0 ? SagaStatus.Parked
                    : Story.Refusal is null ? SagaStatus.Running : SagaStatus.Compensating,
                Parked = parked,
                Decisions = [.. Story.Decisions, decision with { Step = step.Step, At = Now }],
            });
            if (maySkip || decision.Action == SagaAction.Retry) return decision;
        }
    }

    // A chapter that cannot be told for long is left out: the next one holds it too, and the saga's work goes on.
    async Task TellAsync(SagaStory story)
    {
        try
        {
            await WriteAsync(story);
        }
        catch (TaskFailedException)
        {
            context.SetCustomStatus("the saga's story cannot be written");
        }
    }

    Task WriteAsync(SagaStory story)
    {
        Story = story with { Revision = story.Revision + 1 };
        return context.CallActivityAsync(nameof(SagaStories.TellSagaStory), Story, Telling);
    }

    static string? Fit(string? text) => text?.Length > DetailLengthMax ? text[..DetailLengthMax] : text;

    void Amend(int index, Func<StepStory, StepStory> change) =>
        Story = Story with { Steps = [.. Story.Steps.Select((step, i) => i == index ? change(step) : step)] };

    DateTimeOffset Now => new(context.CurrentUtcDateTime, TimeSpan.Zero);

    // About an hour: a lost last chapter would show a finished saga as running, so it is told with patience.
    static readonly TaskOptions Telling = TaskOptions.FromRetryPolicy(
        new(20, TimeSpan.FromSeconds(1), backoffCoefficient: 2, maxRetryInterval: TimeSpan.FromMinutes(5)));
}
