using System.Text.Json.Serialization;
using EventSourcing;

namespace Functions.Sagas;

public enum SagaStatus
{
    Running,
    Compensating,

    /// <summary>
    /// A step that must not be given up has failed for good: the saga waits for an operator's decision.
    /// </summary>
    Parked,
    Completed,

    /// <summary>Ended well by taking back everything it did.</summary>
    Compensated,

    /// <summary>
    /// Its orchestration has ended or vanished without telling the end: nothing goes on until somebody has looked.
    /// </summary>
    Broken,
}

public enum StepKind
{
    /// <summary>Can be undone.</summary>
    Compensable,

    /// <summary>The point of no return.</summary>
    Pivot,

    /// <summary>Behind the pivot: tried until it is done.</summary>
    Retryable,

    /// <summary>Takes back a compensable step.</summary>
    Undo,

    /// <summary>Leaves nothing to undo.</summary>
    Question,

    /// <summary>Waits for people, until a deadline.</summary>
    Wait,
}

public enum StepOutcome
{
    Running,
    Done,

    /// <summary>The business said no.</summary>
    Refused,

    /// <summary>The world kept failing until the attempts were used up.</summary>
    Failed,
    Skipped,
}

/// <summary>An attempt in vain: which one, from when to when, and what went wrong.</summary>
public sealed record FailedAttempt(int Attempt, DateTimeOffset StartedAt, DateTimeOffset EndedAt, string Error);

/// <summary>One step of a saga as it went: when, how often, how it ended.</summary>
public sealed record StepStory(string Step, StepKind Kind, DateTimeOffset StartedAt)
{
    /// <summary>So many attempts in vain are kept of a step, the last ones.</summary>
    public const int FailedMax = 20;

    public StepOutcome Outcome { get; init; } = StepOutcome.Running;

    public int Attempts { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>By when people must have answered.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? Until { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Detail { get; init; }

    public IReadOnlyList<FailedAttempt> Failed { get; init; } = [];

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TimeSpan? Duration => EndedAt - StartedAt;
}

/// <summary>
/// Where a saga stands still, why, and since when; the stops of a saga are numbered, for a step may park again.
/// </summary>
public sealed record ParkedStep(
    string Step, string Error, int Attempts, DateTimeOffset Since, int Stop, bool MaySkip = true);

/// <summary>What an operator decided about a parked step; the saga adds which one it was, and when it heard.</summary>
public sealed record SagaDecision(
    SagaAction Action, string By, string Why, string? Step = null, DateTimeOffset? At = null)
{
    /// <summary>What had broken the saga that was run again.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Fault { get; init; }
}

[JsonConverter(typeof(JsonStringEnumConverter<SagaAction>))]
public enum SagaAction
{
    /// <summary>Try the step again; of a broken saga, all of it.</summary>
    [JsonStringEnumMemberName("retry")]
    Retry,

    /// <summary>Go on without it.</summary>
    [JsonStringEnumMemberName("skip")]
    Skip,

    /// <summary>It was done by hand: go on as if the step had done it.</summary>
    [JsonStringEnumMemberName("resolve")]
    Resolve,
}

/// <summary>
/// A saga as people ask about it: kept by the saga itself, written whole to its own container a few times in its life.
/// </summary>
public sealed record SagaStory(
    string Saga, string Type, string Version, string Subject, string CorrelationId, DateTimeOffset StartedAt)
{
    /// <summary>How often the saga was run again from its beginning, after it had broken.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int Run { get; init; }

    /// <summary>
    /// Grows with every telling of a run, so that a late or repeated write never replaces a newer one.
    /// </summary>
    public int Revision { get; init; }

    public SagaStatus Status { get; init; }

    public IReadOnlyList<StepStory> Steps { get; init; } = [];

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>
    /// By when the next chapter comes if the saga is well; null when it needs a person, or nothing, to go on.
    /// </summary>
    public DateTimeOffset? Due { get; init; }

    /// <summary>The steps under way when this was told, and those that stand parked.</summary>
    public IReadOnlyList<string> StandsAt =>
    [
        .. Steps.Where(step => step.Outcome == StepOutcome.Running).Select(step => step.Step)
            .Concat(Parked.Select(stop => stop.Step)).Distinct(),
    ];

    /// <summary>What ended the orchestration of a broken saga.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Fault { get; init; }

    /// <summary>Why it was compensated.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Refusal? Refusal { get; init; }

    public IReadOnlyList<ParkedStep> Parked { get; init; } = [];

    /// <summary>Every operator's decision, oldest first.</summary>
    public IReadOnlyList<SagaDecision> Decisions { get; init; } = [];
}
