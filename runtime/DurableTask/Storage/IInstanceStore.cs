namespace Runtime.DurableTask;

/// <summary>
/// Where instances live between turns. One owner per instance and one engine per store: nobody else ever writes, so a
/// commit is never conditional. It is all or nothing, and durable once its task has completed.
/// </summary>
interface IInstanceStore : IAsyncDisposable
{
    /// <summary>Opens the store for this process alone and answers all that was left unfinished.</summary>
    Unfinished Open();

    /// <summary>Numbers that rise for ever, across restarts.</summary>
    long NextSequence();

    InstanceRecord? Find(string instanceId);

    IReadOnlyList<HistoryTurn> ReadHistory(string instanceId);

    IReadOnlyList<InstanceRecord> ReadChildren(string parentInstanceId);

    /// <summary>Instances in the order of their ids.</summary>
    IReadOnlyList<InstanceRecord> List(ListFilter filter);

    Task CommitAsync(Commit commit);
}

/// <summary>What a killed process left behind.</summary>
sealed record Unfinished(
    IReadOnlyList<InstanceRecord> Unstarted, IReadOnlyList<Message> Messages, IReadOnlyList<OpenTask> Tasks);

/// <summary>Which instances to list.</summary>
sealed record ListFilter(
    int Max,
    string After = "",
    string Prefix = "",
    DateTime? CreatedFrom = null,
    DateTime? CreatedTo = null,
    DateTime? CompletedFrom = null,
    DateTime? CompletedTo = null,
    IReadOnlySet<InstanceStatus>? Statuses = null)
{
    internal bool Matches(InstanceRecord record) =>
        record.InstanceId.StartsWith(Prefix, StringComparison.Ordinal)
        && (CreatedFrom is null || record.CreatedAt >= CreatedFrom)
        && (CreatedTo is null || record.CreatedAt <= CreatedTo)
        && (CompletedFrom is null || record.CompletedAt >= CompletedFrom)
        && (CompletedTo is null || record.CompletedAt <= CompletedTo)
        && (Statuses is null || Statuses.Contains(record.Status));
}

/// <summary>All that one step of one instance changes. Applied in the order of the members.</summary>
sealed class Commit(string instanceId)
{
    internal string InstanceId => instanceId;

    /// <summary>Forgets the execution so far: its history and what it waits for.</summary>
    internal bool ForgetExecution { get; set; }

    /// <summary>Drops the history from this turn on.</summary>
    internal int? CutHistoryAt { get; set; }

    /// <summary>Removes the instance altogether.</summary>
    internal bool Purge { get; set; }

    /// <summary>The instance as it now is; null leaves it alone.</summary>
    internal InstanceRecord? Record { get; set; }

    /// <summary>The turn to append, as number <c>Record.Turns - 1</c>.</summary>
    internal HistoryTurn? Turn { get; set; }

    /// <summary>Stored messages that are dealt with, for this instance only.</summary>
    internal List<long> Consumed { get; } = [];

    /// <summary>Messages to store, for any instance.</summary>
    internal List<Message> Outgoing { get; } = [];

    /// <summary>Nothing that was open is waited for any longer.</summary>
    internal bool CloseAll { get; set; }

    internal List<int> Closed { get; } = [];

    internal List<OpenTask> Opened { get; } = [];
}
