using EventSourcing;

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

    /// <summary>
    /// While its undo stands parked nothing older is undone, because the older steps' work is still needed then.
    /// </summary>
    public bool Guards { get; init; }
}

/// <summary>How often a step is tried when the world fails, and how long to pause in between.</summary>
public sealed record StepPolicy(int AttemptsMax, TimeSpan FirstPause, TimeSpan PauseMax)
{
    public static readonly StepPolicy Before = new(4, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));

    /// <summary>For undos and steps behind the pivot, which have no way back: patient, then parked.</summary>
    public static readonly StepPolicy Behind = new(8, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));

    public TimeSpan PauseAfter(int attempt) =>
        TimeSpan.FromTicks(Math.Min(FirstPause.Ticks << Math.Min(attempt - 1, 20), PauseMax.Ticks));

    /// <summary>How long a step can take under this policy when every attempt of it hangs.</summary>
    public TimeSpan WholeTime(TimeSpan attemptMax) => Enumerable.Range(1, AttemptsMax - 1)
        .Aggregate(attemptMax * AttemptsMax, (whole, attempt) => whole + PauseAfter(attempt));
}

/// <summary>
/// A wait for people. <c>Ask</c> lets them know until when; <c>Settle</c>, told whether the time is up, says what
/// became of it and answers <c>Pending</c> while nothing has. The event only wakes the saga: what it carries decides
/// nothing, so an event too many, too early or lost changes nothing.
/// </summary>
public sealed record Wait(
    string Name, string Event, TimeSpan For, Func<DateTimeOffset, Step> Ask, Func<bool, Step> Settle, Refusal Pending);
