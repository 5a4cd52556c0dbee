using EventSourcing;
using Microsoft.DurableTask;

namespace Functions.Sagas;

// How one step is tried, how it parks, and what is told of both.
public sealed partial class Saga
{
    const int DetailLengthMax = 500;

    /// <summary>The host's function timeout: no attempt takes longer.</summary>
    static readonly TimeSpan AttemptMax = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long a saga whose steps all go well can be silent. Who is silent for longer is stuck.
    /// </summary>
    static readonly TimeSpan QuietMax = TimeSpan.FromHours(1);

    /// <summary>So many stops has one run at most: one of an earlier run is never meant by a late decision.</summary>
    const int StopsMax = 10_000;

    int stops = begun.Run * StopsMax;

    int Open(string name, StepKind kind)
    {
        Story = Story with { Steps = [.. Story.Steps, new(name, kind, Now)] };
        ShowPlace(name);
        return Story.Steps.Count - 1;
    }

    // A parked step is what an operator must see, whatever else still goes on.
    void ShowPlace(string step) => context.SetCustomStatus(
        Story.Parked is [var parked, ..] ? $"parked at {parked.Step}" : step);

    async Task<(StepOutcome Outcome, Refusal? Refusal)> AttemptAsync(
        int at, string activity, Step step, StepPolicy policy)
    {
        for (var attempt = 1; ; attempt++)
        {
            var begun = Now;
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
            var failedAttempt = new FailedAttempt(attempt, begun, Now, fault);
            Amend(at, s => s with
            {
                Attempts = attempt,
                Detail = fault,
                Failed = [.. s.Failed.TakeLast(StepStory.FailedMax - 1), failedAttempt],
            });
            if (attempt == policy.AttemptsMax)
            {
                Amend(at, s => s with { Outcome = StepOutcome.Failed, EndedAt = Now });
                return (StepOutcome.Failed,
                    new("step-failed", $"{Story.Steps[at].Step} failed {attempt} times: {fault}"));
            }

            // Trouble is worth a write: from here on readers see at which step the saga stands.
            if (attempt == 1) await TellAsync(Story, policy.WholeTime(step.Timeout ?? AttemptMax));
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

    /// <summary>Parks until somebody decides: true when the step counts as over, false to try it again.</summary>
    async Task<bool> IsDecidedAsync(int at, Refusal why, bool maySkip)
    {
        var decision = await ParkAsync(at, why, maySkip);
        if (decision.Action == SagaAction.Retry) return false;
        Amend(at, s => s with
        {
            Outcome = decision.Action == SagaAction.Skip ? StepOutcome.Skipped : StepOutcome.Done,
            Detail = $"{decision.Action} by {decision.By}: {decision.Why}",
        });
        return true;
    }

    async Task<SagaDecision> ParkAsync(int at, Refusal why, bool maySkip)
    {
        var step = Story.Steps[at];
        SagaDecision decision;
        do
        {
            var stop = new ParkedStep(step.Step, Fit(why.Detail)!, step.Attempts, Now, ++stops, maySkip);
            Story = Story with { Status = SagaStatus.Parked, Parked = [.. Story.Parked, stop] };
            ShowPlace(step.Step);
            await TellAsync(Story);
            decision = await context.WaitForExternalEvent<SagaDecision>(DecisionEvent(stop));
            var parked = Story.Parked.Where(p => p.Stop != stop.Stop).ToList();
            Story = Story with
            {
                Status = parked.Count > 0 ? SagaStatus.Parked
                    : Story.Refusal is null ? SagaStatus.Running : SagaStatus.Compensating,
                Parked = parked,
                Decisions = [.. Story.Decisions, decision with { Step = step.Step, At = Now }],
            };
            ShowPlace(step.Step);
            await TellAsync(Story);
        }
        while (!maySkip && decision.Action != SagaAction.Retry);
        return decision;
    }

    // A chapter that cannot be told for long is left out: the next one holds it too, and the saga's work goes on.
    async Task TellAsync(SagaStory story, TimeSpan longest = default)
    {
        var due = Now + longest + QuietMax;
        try
        {
            await WriteAsync(story with
            {
                Due = story.Status == SagaStatus.Parked ? null : story.Due > due ? story.Due : due,
            });
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
