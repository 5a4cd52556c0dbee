using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;

namespace Runtime.DurableTask;

// The side that orchestrator code sees.
sealed partial class Execution : TaskOrchestrationContext
{
    // The name space of RFC 4122 in which the SDK makes its ids.
    static readonly Guid GuidNamespace = new("9e952958-5e33-4daf-827f-2fa12937b875");

    readonly Dictionary<string, EventInbox> _events = new(StringComparer.OrdinalIgnoreCase);
    ContinueAsNewOptions? _continuation;
    string? _continuationInput;
    object? _input;
    DateTime _now;
    bool _replaying;
    int _nextTask;
    int _guids;
    int _eventsRead;

    public override TaskName Name => record.Name;

    public override string InstanceId => record.InstanceId;

    public override string Version => record.Version;

    public override ParentOrchestrationInstance? Parent { get; } =
        record.Parent is { } parent ? new(parent.Name, parent.InstanceId) : null;

    public override DateTime CurrentUtcDateTime => _now;

    public override bool IsReplaying => _replaying;

    internal string? CustomStatus { get; private set; }

    protected override ILoggerFactory LoggerFactory => host.Options.LoggerFactory;

    DataConverter Converter => host.Options.DataConverter;

    public override T? GetInput<T>()
        where T : default =>
        _input is T typed ? typed : Converter.Deserialize<T>(record.Input);

    public override Task<TResult> CallActivityAsync<TResult>(
        TaskName name, object? input = null, TaskOptions? options = null)
    {
        RefuseOtherThreads();
        RefuseOptionsAsInput(input, options);
        host.Limits.Name(name.Name, "name of the activity");
        var payload = Serialize(input, $"input of activity '{name}'");
        var version = options?.Version is { } explicitly ? host.Limits.Version(explicitly) : record.Version;
        var tags = host.Limits.Tags(options?.Tags);
        return Retries.Call(this, options?.Retry, () => Do<TResult>(
            task => new HistoryEntry.ActivityCalled(task, name.Name, version, payload, tags), name.Name));
    }

    public override Task<TResult> CallSubOrchestratorAsync<TResult>(
        TaskName orchestratorName, object? input = null, TaskOptions? options = null)
    {
        RefuseOtherThreads();
        RefuseOptionsAsInput(input, options);
        host.Limits.Name(orchestratorName.Name, "name of the orchestrator");
        var child = (options as SubOrchestrationOptions)?.InstanceId;
        var instanceId = child is null ? NewGuid().ToString("N") : host.Limits.InstanceId(child);
        var payload = Serialize(input, $"input of orchestrator '{orchestratorName}'");
        var version = options?.Version is { } explicitly
            ? host.Limits.Version(explicitly)
            : host.Options.DefaultVersion;
        var tags = host.Limits.Tags(options?.Tags);
        return Retries.Call(this, options?.Retry, () => Do<TResult>(
            task => new HistoryEntry.ChildCalled(
                task, instanceId, orchestratorName.Name, version, payload, tags),
            orchestratorName.Name));
    }

    public override Task CreateTimer(DateTime fireAt, CancellationToken cancellationToken)
    {
        RefuseOtherThreads();
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled(cancellationToken);
        }

        var utc = fireAt.ToUniversalTime();
        var timer = Begin<object?>(task => new HistoryEntry.TimerSet(task, utc), "timer");
        if (cancellationToken.CanBeCanceled)
        {
            // Ends with the token source: an orchestration's tokens are its own.
            cancellationToken.Register(() =>
            {
                if (IsOnTurn() && _open.Remove(timer.Deed.Task))
                {
                    _cancelled.Add(timer.Deed.Task);
                    timer.Cancel(cancellationToken);
                }
            });
        }

        return timer.Task;
    }

    public override Task<T> WaitForExternalEvent<T>(string eventName, CancellationToken cancellationToken = default)
    {
        RefuseOtherThreads();
        host.Limits.Name(eventName, "name of the event");
        if (!_events.TryGetValue(eventName, out var inbox))
        {
            _events.Add(eventName, inbox = new EventInbox());
        }

        if (inbox.Waits.Last is { } newest && newest.Value.Type != typeof(T))
        {
            throw new ArgumentException(
                $"Event '{eventName}' is already awaited as {newest.Value.Type}; it cannot be a {typeof(T)} as well.");
        }

        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<T>(cancellationToken);
        }

        var wait = new EventWait<T>(Converter);
        var place = inbox.Waits.AddLast(wait);
        if (inbox.Unread.TryDequeue(out var unread))
        {
            UnreadCount--;
            Hand(inbox, unread.Raised);
        }
        else if (cancellationToken.CanBeCanceled)
        {
            cancellationToken.Register(() =>
            {
                if (IsOnTurn() && place.List is not null)
                {
                    // Gone from the list, so that the event it no longer wants goes to another wait.
                    inbox.Waits.Remove(place);
                    wait.Cancel(cancellationToken);
                }
            });
        }

        return wait.Task;
    }

    public override void SendEvent(string instanceId, string eventName, object payload)
    {
        RefuseOtherThreads();
        host.Limits.InstanceId(instanceId);
        host.Limits.Name(eventName, "name of the event");
        var text = Serialize(payload, $"payload of event '{eventName}'");
        Record(new HistoryEntry.EventSent(_nextTask++, instanceId, eventName, text));
    }

    public override void SetCustomStatus(object? customStatus)
    {
        RefuseOtherThreads();
        CustomStatus = host.Limits.CustomStatus(Converter.Serialize(customStatus));
    }

    public override void ContinueAsNew(object? newInput = null, bool preserveUnprocessedEvents = true) =>
        ContinueAsNew(new ContinueAsNewOptions
        {
            NewInput = newInput,
            PreserveUnprocessedEvents = preserveUnprocessedEvents,
        });

    public override void ContinueAsNew(ContinueAsNewOptions options)
    {
        RefuseOtherThreads();
        ArgumentNullException.ThrowIfNull(options);
        _continuationInput = Serialize(options.NewInput, "input of the next generation");
        if (!string.IsNullOrWhiteSpace(options.NewVersion))
        {
            host.Limits.Version(options.NewVersion);
        }

        _continuation = options;
    }

    public override Guid NewGuid()
    {
        RefuseOtherThreads();

        // The execution id is part of the name: under a clock that stands still, the next generation of this instance
        // would otherwise draw the same ids again.
        var name = string.Create(
            CultureInfo.InvariantCulture, $"{record.InstanceId}_{record.ExecutionId}_{_now:o}_{_guids++}");
        Span<byte> bytes = stackalloc byte[16];
        GuidNamespace.TryWriteBytes(bytes, bigEndian: true, out _);
#pragma warning disable CA5350 // RFC 4122 prescribes SHA-1 for version 5; nothing secret depends on it.
        SHA1.HashData([.. bytes, .. Encoding.UTF8.GetBytes(name)]).AsSpan(0, 16).CopyTo(bytes);
#pragma warning restore CA5350
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x50);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }

    bool HasEventWaits => _events.Values.Any(inbox => inbox.Waits.Count > 0);

    static void RefuseOptionsAsInput(object? input, TaskOptions? options)
    {
        if (input is TaskOptions && options is null)
        {
            throw new ArgumentException(
                "The options were given as the input. Pass null as the input, or name the parameter: options: ...",
                nameof(input));
        }
    }

    string? Serialize(object? value, string what) => host.Limits.Payload(Converter.Serialize(value), what);

    Task<T> Do<T>(Func<int, HistoryEntry.Deed> make, string name) => Begin<T>(make, name).Task;

    Waiting<T> Begin<T>(Func<int, HistoryEntry.Deed> make, string name)
    {
        var waiting = new Waiting<T>(make(_nextTask++), name, Converter);
        Record(waiting.Deed);
        _open.Add(waiting.Deed.Task, waiting);
        return waiting;
    }

    void Record(HistoryEntry.Deed deed)
    {
        if (_nextTask > host.Options.HistoryEventsMax)
        {
            throw new InvalidOperationException(
                $"Instance '{InstanceId}' has done {host.Options.HistoryEventsMax} things, which is all that one "
                + $"execution may ({nameof(DurableEngineOptions.HistoryEventsMax)}). Use ContinueAsNew.");
        }

        _deeds.Add(deed);
    }

    void TakeEvent(HistoryEntry.EventRaised raised)
    {
        if (!_events.TryGetValue(raised.Name, out var inbox))
        {
            _events.Add(raised.Name, inbox = new EventInbox());
        }

        if (inbox.Waits.Count > 0)
        {
            Hand(inbox, raised);
        }
        else
        {
            inbox.Unread.Enqueue((_eventsRead++, raised));
            UnreadCount++;
        }
    }

    // The newest wait is served first: older ones are mostly the abandoned losers of a WhenAny.
    void Hand(EventInbox inbox, HistoryEntry.EventRaised raised)
    {
        var wait = inbox.Waits.Last!.Value;
        inbox.Waits.RemoveLast();
        try
        {
            wait.Take(raised.Payload);
        }
        catch (EventPayloadException exception)
        {
            // Whoever sent it is to blame, not the code: its catch must not see it.
            _doom ??= Failure.Of(exception.InnerException!);
        }
    }

    Generation Continue(ContinueAsNewOptions options) => new(
        _continuationInput,
        string.IsNullOrWhiteSpace(options.NewVersion) ? null : options.NewVersion,
        options.PreserveUnprocessedEvents
            ? [.. _events.Values.SelectMany(inbox => inbox.Unread).OrderBy(e => e.Order).Select(e => e.Raised)]
            : []);

    void RefuseOtherThreads()
    {
        if (!IsOnTurn())
        {
            throw new InvalidOperationException(
                $"The context of instance '{InstanceId}' is used outside its orchestrator. {StrayAdvice}");
        }
    }

    bool IsOnTurn()
    {
        if (Thread.IsCurrent)
        {
            return true;
        }

        Stray();
        return false;
    }

    sealed class EventInbox
    {
        internal LinkedList<EventWait> Waits { get; } = [];

        internal Queue<(int Order, HistoryEntry.EventRaised Raised)> Unread { get; } = [];
    }

    abstract class EventWait
    {
        internal abstract Type Type { get; }

        internal abstract void Take(string? payload);
    }

    sealed class EventWait<T>(DataConverter converter) : EventWait
    {
        readonly TaskCompletionSource<T> _source = new();

        internal override Type Type => typeof(T);

        internal Task<T> Task => _source.Task;

        internal void Cancel(CancellationToken token) => _source.TrySetCanceled(token);

        internal override void Take(string? payload)
        {
            T value;
            try
            {
                value = converter.Deserialize<T>(payload)!;
            }
            catch (Exception exception)
            {
                throw new EventPayloadException(exception);
            }

            _source.TrySetResult(value);
        }
    }

    sealed class EventPayloadException(Exception inner) : Exception("An event cannot be read.", inner);
}
