using EventSourcing;
using Microsoft.DurableTask;

namespace Functions.Sagas;

/// <summary>
/// The vocabulary of a saga: questions, compensable steps, waits for people, one pivot, retryable steps. Before the
/// pivot a refusal or an exhausted step leads to <see cref="UndoAsync"/>, newest first; behind it the saga only goes
/// forward. What may not be given up and fails for good parks the saga until an operator decides.
/// </summary>
/// <remarks>What each does with the context is a contract with every instance in flight: see the README.</remarks>
public sealed partial class Saga(TaskOrchestrationContext context, SagaStory begun)
{
    /// <summary>What the name of an undo begins with; the rest is its step's.</summary>
    public const string UndoPrefix = "undo ";

    /// <summary>
    /// The external event that continues a parked step, carrying a <see cref="SagaDecision"/>. It names this one stop:
    /// a second decision about it, come too late, must not decide the next stop of the same step.
    /// </summary>
    public static string DecisionEvent(ParkedStep parked) => $"decision {parked.Stop}: {parked.Step}";

    /// <summary>Until version 2 a parked undo held up every older one.</summary>
    readonly bool parkedUndosLetOthersGo = context.CompareVersionTo("2") >= 0;

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
    /// Does the first of several alternatives that can be done: forward recovery. What was begun and not done is taken
    /// back before the next one is tried; when none can be done, the last refusal says why.
    /// </summary>
    public async Task<Refusal?> FirstOfAsync(IEnumerable<Step> alternatives)
    {
        Refusal? refusal = null;
        foreach (var step in alternatives)
        {
            refusal = await TryAsync(step);
            if (refusal is null) return null;
            undos.Pop();
            await ForwardAsync(UndoPrefix + step.Name, step.Undo!, step, StepKind.Undo);
        }

        return refusal;
    }

    /// <summary>Does a step that leaves nothing to undo.</summary>
    public Task<Refusal?> AskAsync(Step step) => BackwardAsync(step, StepKind.Question);

    /// <summary>
    /// Waits for people, at most until the deadline. The answer is why the saga may not go on, or null.
    /// </summary>
    public async Task<Refusal?> WaitAsync(Wait wait)
    {
        var until = Now + wait.For;
        if (await AskAsync(wait.Ask(until)) is { } unasked) return unasked;

        var at = Open(wait.Name, StepKind.Wait);
        Amend(at, s => s with { Until = until });
        await TellAsync(Story, until - Now);
        while (true)
        {
            var step = wait.Settle(!await HeardAsync(wait.Event, until));
            var (_, refusal) = await AttemptAsync(at, step.Do, step, step.Policy ?? StepPolicy.Before);
            if (refusal?.Code == wait.Pending.Code)
            {
                Amend(at, s => s with { Outcome = StepOutcome.Running, EndedAt = null, Detail = null });
                continue;
            }

            // Compensation tells of itself; that the wait is over well is worth telling after days of silence.
            if (refusal is null) await TellAsync(Story with { Due = null });
            return refusal;
        }
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

    /// <summary>
    /// Lets compensation take back these steps as well, in the order they would have been begun: a saga that is run
    /// again can not know how far it came. To undo what never happened closes it, and changes nothing else.
    /// </summary>
    public void MayHaveBegun(IEnumerable<Step> steps)
    {
        foreach (var step in steps.Where(step => undos.All(begun => begun.Name != step.Name))) Register(step);
    }

    /// <summary>
    /// Takes back every step begun, newest first. One that parks lets the older ones go on, for they touch other
    /// streams and need only what was known before their own steps; the saga ends when the last of them is done.
    /// </summary>
    public async Task UndoAsync(Refusal refusal)
    {
        await TellAsync(Story with { Status = SagaStatus.Compensating, Refusal = refusal });
        var parked = new List<Task>();
        while (undos.TryPop(out var step))
        {
            var rest = await BeginUndoAsync(step);
            if (step.Guards || !parkedUndosLetOthersGo) await rest;
            else parked.Add(rest);
        }

        // Whoever decides about a parked undo should see what has been taken back without it.
        if (Story.Parked.Count > 0 && parkedUndosLetOthersGo) await TellAsync(Story);
        await Task.WhenAll(parked);
    }

    /// <summary>Tells the end of the story.</summary>
    /// <remarks>
    /// A last chapter that cannot be told fails the saga: its work is done, and the watch over the sagas finds it.
    /// </remarks>
    public Task EndAsync() => WriteAsync(Story with
    {
        Status = Story.Refusal is null ? SagaStatus.Completed : SagaStatus.Compensated,
        EndedAt = Now,
        Due = null,
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
            if (await IsDecidedAsync(at, refusal!, maySkip: !mayRefuse)) return null;
        }
    }

    /// <summary>Tries once; what it answers is over when the step is done, or decided after it parked.</summary>
    async Task<Task> BeginUndoAsync(Step step)
    {
        var name = UndoPrefix + step.Name;
        var at = Open(name, StepKind.Undo);
        var (outcome, refusal) = await AttemptAsync(at, step.Undo!, step, StepPolicy.Behind);
        return outcome == StepOutcome.Done ? Task.CompletedTask : StayAsync();

        async Task StayAsync()
        {
            if (await IsDecidedAsync(at, refusal!, maySkip: true)) return;
            await ForwardAsync(name, step.Undo!, step, StepKind.Undo);
        }
    }

    async Task<bool> HeardAsync(string @event, DateTimeOffset until)
    {
        using var over = new CancellationTokenSource();
        var left = until - Now;
        var deadline = context.CreateTimer(left > TimeSpan.Zero ? left : TimeSpan.Zero, over.Token);
        var heard = context.WaitForExternalEvent<string>(@event, over.Token);
        var first = await Task.WhenAny(heard, deadline);

        // CancelAsync would go on from a thread of its own, which a replay could not repeat.
#pragma warning disable CA1849
        over.Cancel();
#pragma warning restore CA1849
        return first == heard;
    }
}
