using DurableTask.Core.Exceptions;
using Microsoft.DurableTask;

namespace Runtime.DurableTask;

/// <summary>What an execution needs of its engine.</summary>
interface IExecutionHost
{
    DurableEngineOptions Options { get; }

    Limits Limits { get; }

    /// <summary>Tells, from any thread, that the code awaits something that its context has not made.</summary>
    void ReportStray(string instanceId, string executionId);
}

/// <summary>
/// The running code of one generation of an instance. It is told history entries and collects what the code does in
/// answer. The same class runs new turns and replays old ones, so both are the same by construction: a replayed turn
/// only compares what the code does with what it is recorded to have done.
/// </summary>
sealed partial class Execution(InstanceRecord record, ITaskOrchestrator code, IExecutionHost host)
{
    const string StrayAdvice =
        "It awaits a task that its context has not made (Task.Delay, Task.Run, HttpClient, ConfigureAwait(false), "
        + "SemaphoreSlim, ...), which a replay could not repeat. Move such work to an activity, use CreateTimer for "
        + "delays and await only tasks of the orchestration context.";

    readonly Dictionary<int, Waiting> _open = [];
    readonly List<int> _cancelled = [];
    TurnThread? _thread;
    List<HistoryEntry.Deed> _deeds = [];
    Failure? _doom;
    Exception? _error;
    string? _output;
    bool _returned;
    int _strayed;

    /// <summary>How the code ended; nothing more is delivered then.</summary>
    internal HistoryEntry.Ended? Ended { get; private set; }

    /// <summary>What the next generation begins with, when the code ended by continuing as new.</summary>
    internal Generation? Next { get; private set; }

    internal int UnreadCount { get; private set; }

    /// <summary>Calls without an answer, oldest first.</summary>
    internal IEnumerable<HistoryEntry.Deed> OpenDeeds =>
        _open.OrderBy(open => open.Key).Select(open => open.Value.Deed);

    TurnThread Thread => _thread ??= new TurnThread(Stray);

    /// <summary>Runs the code with these entries; answers how many it took before it ended.</summary>
    /// <param name="entries">What the instance is told.</param>
    /// <param name="accepted">Receives the entries that belong into the history: not the answers nobody awaits.</param>
    internal int Tell(IReadOnlyList<HistoryEntry> entries, List<HistoryEntry> accepted)
    {
        var taken = 0;
        try
        {
            Thread.Run(() =>
            {
                while (taken < entries.Count && Ended is null)
                {
                    var entry = entries[taken++];
                    if (entry is not HistoryEntry.Answer answer || _open.ContainsKey(answer.Task))
                    {
                        accepted.Add(entry);
                        Take(entry);
                        Thread.RunReady();
                        Ended = End();
                    }
                }
            });
        }
        catch (Exception exception)
        {
            // Thrown by an async void method of the orchestrator: no task of its own could take it.
            Doom(Failure.Of(exception));
        }

        return taken;
    }

    internal void BeginTurn(DateTime at, bool replaying)
    {
        _now = at;
        _replaying = replaying;
    }

    /// <summary>What the code did since the last call.</summary>
    internal List<HistoryEntry.Deed> TakeDeeds()
    {
        var deeds = _deeds;
        _deeds = [];
        return deeds;
    }

    internal bool IsOpen(int task) => _open.ContainsKey(task);

    internal List<int> TakeCancelled()
    {
        List<int> cancelled = [.. _cancelled];
        _cancelled.Clear();
        return cancelled;
    }

    /// <summary>Fails the instance from outside; its code does not see it.</summary>
    internal void Doom(Failure failure)
    {
        _doom ??= failure;
        Next = null;
        Ended = End();
    }

    internal static Failure StrayFailure(InstanceRecord record) => new(
        typeof(InvalidOperationException).FullName!,
        $"Orchestrator '{record.Name}' (instance '{record.InstanceId}') cannot go on. {StrayAdvice}");

    /// <summary>Runs a recorded turn again; answers how the code differs from what it did then.</summary>
    internal string? Replay(HistoryTurn turn, int number)
    {
        BeginTurn(turn.At, replaying: true);
        Tell([.. turn.Entries.Where(IsTold)], []);
        var recorded = turn.Entries.OfType<HistoryEntry.Deed>().ToList();
        var done = TakeDeeds();
        TakeCancelled();
        for (var i = 0; i < Math.Max(recorded.Count, done.Count); i++)
        {
            var then = i < recorded.Count ? recorded[i] : null;
            var now = i < done.Count ? done[i] : null;
            if (then?.Described != now?.Described)
            {
                var task = (then ?? now)!.Task;
                return Diverged(number, $"history says that #{task} was to {then?.Described ?? "do nothing more"}, "
                    + $"the code now chose to {now?.Described ?? "do nothing more"}");
            }
        }

        var ended = turn.Entries.OfType<HistoryEntry.Ended>().FirstOrDefault();
        return ended?.Status != InstanceStatus.Terminated && ended?.Status != Ended?.Status
            ? Diverged(number, $"history says that it {Describe(ended)} here, with today's code it {Describe(Ended)}")
            : null;
    }

    internal static Failure NonDeterministic(string divergence) => new(
        typeof(NonDeterministicOrchestrationException).FullName!,
        divergence + ". Changed code needs a new name or version; what is running keeps the old one.");

    static bool IsTold(HistoryEntry entry) =>
        entry is HistoryEntry.Started or HistoryEntry.Answer or HistoryEntry.EventRaised;

    static string Describe(HistoryEntry.Ended? ended) => ended is null ? "went on" : $"ended as {ended.Status}";

    string Diverged(int turn, string how) =>
        $"Orchestrator '{record.Name}' does not repeat its history "
        + $"(instance '{record.InstanceId}', turn {turn}): {how}";

    void Take(HistoryEntry entry)
    {
        switch (entry)
        {
            case HistoryEntry.Started:
                _ = RunCodeAsync();
                break;
            case HistoryEntry.Answer answer:
                _open.Remove(answer.Task, out var waiting);
                waiting!.Settle(answer);
                break;
            case HistoryEntry.EventRaised raised:
                TakeEvent(raised);
                break;
            default:
                throw new System.Diagnostics.UnreachableException(entry.ToString());
        }
    }

    // Awaited by nobody: its end is seen in _returned. It never throws.
    async Task RunCodeAsync()
    {
        try
        {
            _input = record.Input is null ? null : Converter.Deserialize(record.Input, code.InputType);
            var output = await code.RunAsync(this, _input);
            _output = host.Limits.Payload(Converter.Serialize(output), "output of the orchestrator");
        }
        catch (Exception exception)
        {
            _error = exception;
        }

        _returned = true;
    }

    // An instance is over when its code has returned and nothing it started is open.
    HistoryEntry.Ended? End()
    {
        if (Volatile.Read(ref _strayed) != 0 || (!_returned && _open.Count == 0 && !HasEventWaits))
        {
            _doom ??= StrayFailure(record);
        }

        if (_doom is not null)
        {
            return new(InstanceStatus.Failed, null, _doom, null);
        }

        if (!_returned)
        {
            return null;
        }

        if (_error is null && _continuation is { } options)
        {
            Next = Continue(options);
            return new(InstanceStatus.ContinuedAsNew, null, null, null);
        }

        return (_open.Count, _error) switch
        {
            ( > 0, _) => null,
            (_, null) => new(InstanceStatus.Completed, _output, null, null),
            (_, { } error) => new(InstanceStatus.Failed, null, Failure.Of(error), FailedTask(error)),
        };
    }

    void Stray()
    {
        if (Interlocked.Exchange(ref _strayed, 1) == 0 && Ended is null)
        {
            host.ReportStray(record.InstanceId, record.ExecutionId);
        }
    }

    static int? FailedTask(Exception? error) => error switch
    {
        null => null,
        TaskFailedException failed => failed.TaskId,
        _ => FailedTask(error.InnerException),
    };

    /// <summary>A call that the code may await.</summary>
    abstract class Waiting(HistoryEntry.Deed deed)
    {
        internal HistoryEntry.Deed Deed => deed;

        internal abstract void Settle(HistoryEntry.Answer answer);
    }

    /// <remarks>
    /// Continuations run inside Settle, on the turn's thread: a source that completes asynchronously would hand
    /// WhenAll and WhenAny to the thread pool.
    /// </remarks>
    sealed class Waiting<T>(HistoryEntry.Deed deed, string name, DataConverter converter) : Waiting(deed)
    {
        readonly TaskCompletionSource<T> _source = new();

        internal Task<T> Task => _source.Task;

        internal void Cancel(CancellationToken token) => _source.TrySetCanceled(token);

        internal override void Settle(HistoryEntry.Answer answer)
        {
            switch (answer)
            {
                case HistoryEntry.ActivityCompleted completed:
                    Succeed(completed.Result);
                    break;
                case HistoryEntry.ChildCompleted completed:
                    Succeed(completed.Result);
                    break;
                case HistoryEntry.TimerFired:
                    _source.TrySetResult(default!);
                    break;
                case HistoryEntry.ActivityFailed failed:
                    Fail(failed.Failure);
                    break;
                case HistoryEntry.ChildFailed failed:
                    Fail(failed.Failure);
                    break;
                default:
                    throw new System.Diagnostics.UnreachableException(answer.ToString());
            }
        }

        void Fail(Failure failure) =>
            _source.TrySetException(new TaskFailedException(name, Deed.Task, failure.ToDetails()));

        void Succeed(string? result)
        {
            T value;
            try
            {
                value = converter.Deserialize<T>(result)!;
            }
            catch (Exception exception)
            {
                // A result of another type than asked for concerns the code that asked.
                _source.TrySetException(exception);
                return;
            }

            _source.TrySetResult(value);
        }
    }
}

/// <summary>What an instance that continues as new begins again with.</summary>
sealed record Generation(string? Input, string? Version, IReadOnlyList<HistoryEntry.EventRaised> Unread);
