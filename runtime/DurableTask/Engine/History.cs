using System.Text.Encodings.Web;
using System.Text.Json.Serialization;
using Microsoft.DurableTask;

namespace Runtime.DurableTask;

/// <summary>
/// What an instance is told and what its code did in answer. An instance is its history: replayed in order, the same
/// code ends in the same state. Names and shapes are stored for ever: add, never edit.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "event")]
[JsonDerivedType(typeof(Started), "started")]
[JsonDerivedType(typeof(ActivityCompleted), "activity-completed")]
[JsonDerivedType(typeof(ActivityFailed), "activity-failed")]
[JsonDerivedType(typeof(TimerFired), "timer-fired")]
[JsonDerivedType(typeof(ChildCompleted), "child-completed")]
[JsonDerivedType(typeof(ChildFailed), "child-failed")]
[JsonDerivedType(typeof(EventRaised), "event-raised")]
[JsonDerivedType(typeof(Suspended), "suspended")]
[JsonDerivedType(typeof(Resumed), "resumed")]
[JsonDerivedType(typeof(Terminated), "terminated")]
[JsonDerivedType(typeof(ActivityCalled), "activity-called")]
[JsonDerivedType(typeof(TimerSet), "timer-set")]
[JsonDerivedType(typeof(ChildCalled), "child-called")]
[JsonDerivedType(typeof(EventSent), "event-sent")]
[JsonDerivedType(typeof(Ended), "ended")]
[JsonDerivedType(typeof(Strayed), "strayed")]
[JsonDerivedType(typeof(StartRequested), "start-requested")]
[JsonDerivedType(typeof(RewindRequested), "rewind-requested")]
abstract record HistoryEntry
{
    /// <summary>Something that answers a task of the instance's code, identified by its id.</summary>
    internal abstract record Answer(int Task) : HistoryEntry;

    /// <summary>Something the instance's code did; ids count from 0 in the order of doing.</summary>
    internal abstract record Deed(int Task) : HistoryEntry
    {
        /// <summary>What replay compares: inputs and times may change with the code, the deed itself may not.</summary>
        internal abstract string Described { get; }
    }

    // What the instance is told.
    internal sealed record Started : HistoryEntry;

    internal sealed record ActivityCompleted(int Task, string? Result) : Answer(Task);

    internal sealed record ActivityFailed(int Task, Failure Failure) : Answer(Task);

    internal sealed record TimerFired(int Task) : Answer(Task);

    internal sealed record ChildCompleted(int Task, string? Result) : Answer(Task);

    internal sealed record ChildFailed(int Task, Failure Failure) : Answer(Task);

    /// <summary>Keeps its message's number, by which unread events stay in order when they are carried on.</summary>
    internal sealed record EventRaised(string Name, string? Payload, long Sequence) : HistoryEntry;

    internal sealed record Suspended(string? Reason) : HistoryEntry;

    internal sealed record Resumed(string? Reason) : HistoryEntry;

    internal sealed record Terminated(string? Output, bool Recursive) : HistoryEntry;

    // What its code did.
    internal sealed record ActivityCalled(
        int Task, string Name, string Version, string? Input, IDictionary<string, string>? Tags) : Deed(Task)
    {
        internal override string Described => $"call activity '{Name}'";
    }

    internal sealed record TimerSet(int Task, DateTime FireAt) : Deed(Task)
    {
        internal override string Described => "set a timer";
    }

    internal sealed record ChildCalled(
        int Task, string InstanceId, string Name, string Version, string? Input, IDictionary<string, string>? Tags)
        : Deed(Task)
    {
        internal override string Described => $"call orchestrator '{Name}' as instance '{InstanceId}'";
    }

    internal sealed record EventSent(int Task, string InstanceId, string Name, string? Payload) : Deed(Task)
    {
        internal override string Described => $"send event '{Name}' to instance '{InstanceId}'";
    }

    /// <summary>How the execution ended; <c>FailedTask</c> is the task whose failure nobody caught.</summary>
    internal sealed record Ended(InstanceStatus Status, string? Output, Failure? Failure, int? FailedTask)
        : HistoryEntry;

    // Messages that never enter a history.

    /// <summary>The code awaited something that its context had not made.</summary>
    internal sealed record Strayed : HistoryEntry;

    internal sealed record StartRequested(InstanceRecord Instance) : HistoryEntry;

    internal sealed record RewindRequested(InstanceRecord Fresh) : HistoryEntry;
}

/// <summary>One run of the orchestrator's code: what it was told at which time, then what it did.</summary>
sealed record HistoryTurn(DateTime At, IReadOnlyList<HistoryEntry> Entries);

/// <summary>An error as it is stored.</summary>
sealed record Failure(string ErrorType, string Message, string? StackTrace = null, Failure? Inner = null)
{
    internal const string MissingActivity = "ActivityTaskNotFound";
    internal const string MissingOrchestrator = "OrchestratorTaskNotFound";
    internal const string VersionMismatch = "VersionMismatch";

    const int CharsMax = 8_192;
    const int DepthMax = 8;

    internal static Failure Of(Exception exception) => Of(TaskFailureDetails.FromException(exception), DepthMax);

    internal TaskFailureDetails ToDetails() => new(ErrorType, Message, StackTrace, Inner?.ToDetails(), null);

    /// <summary>No retry helps against a missing task or a wrong version.</summary>
    internal static bool IsFinal(TaskFailureDetails details) =>
        details.ErrorType is MissingActivity or MissingOrchestrator or VersionMismatch;

    static Failure Of(TaskFailureDetails details, int depth) => new(
        details.ErrorType,
        Cut(details.ErrorMessage)!,
        Cut(details.StackTrace),
        depth > 0 && details.InnerFailure is { } inner ? Of(inner, depth - 1) : null);

    static string? Cut(string? text) => text?.Length > CharsMax ? text[..CharsMax] + "…" : text;
}

/// <summary>An instance and all its turns, as a file to keep beside the code.</summary>
sealed record ExportedHistory(int Format, InstanceRecord Instance, IReadOnlyList<HistoryTurn> Turns)
{
    internal const int CurrentFormat = 1;
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(IReadOnlyList<HistoryEntry>))]
[JsonSerializable(typeof(ExportedHistory))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, string>))]
sealed partial class StoredJsonContext : JsonSerializerContext;

/// <summary>How histories and messages are written.</summary>
static class StoredJson
{
    // Payloads are JSON inside JSON: without relaxed escaping every quotation mark would take six characters.
    internal static StoredJsonContext Compact { get; } = new(new(StoredJsonContext.Default.Options)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    internal static StoredJsonContext Readable { get; } = new(new(Compact.Options) { WriteIndented = true });
}
