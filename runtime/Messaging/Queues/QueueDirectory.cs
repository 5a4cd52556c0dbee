using Azure.Messaging.ServiceBus;
using Runtime.Messaging.Filters;

namespace Runtime.Messaging.Queues;

/// <summary>
/// The queues, topics and subscriptions of a broker by their paths, made from its topology and its file.
/// </summary>
sealed class QueueDirectory
{
    readonly Kernel kernel;
    readonly Dictionary<string, SendTarget> targets = new(StringComparer.OrdinalIgnoreCase);
    readonly Dictionary<string, MessageQueue> queues = new(StringComparer.OrdinalIgnoreCase);
    readonly Dictionary<int, MessageQueue> byEntity = [];
    readonly Dictionary<int, DuplicateHistory> histories = [];
    int entities;

    public QueueDirectory(Kernel kernel, MessagingTopology topology)
    {
        this.kernel = kernel;
        foreach (var queue in topology.Queues)
        {
            Add(queue);
        }

        foreach (var topic in topology.Topics)
        {
            Add(topic);
        }

        Restore();
    }

    /// <summary>Entities the file holds and the topology does not name: kept, not served, back when they are named
    /// again.
    /// </summary>
    public IReadOnlyList<string> Unserved { get; private set; } = [];

    public IEnumerable<EntityCounts> Counts =>
        queues.Values.Where(q => q.DeadLetters is not null).Select(q => q.Counts);

    public bool IsBusy => queues.Values.Any(queue => queue.DeadLetters is not null && queue.IsBusy);

    public SendTarget Target(string path) => targets.TryGetValue(path, out var target) ? target : throw NotFound(path);

    public bool HasTarget(string path) => targets.ContainsKey(path);

    public MessageQueue? Find(string path) => queues.GetValueOrDefault(path);

    public MessageQueue Queue(string path) => queues.TryGetValue(path, out var queue) ? queue : throw NotFound(path);

    /// <summary>Ends the waits of everybody and the numbering of this life.</summary>
    public void Close()
    {
        foreach (var queue in queues.Values)
        {
            queue.FailWaiters(new ServiceBusException(
                "The broker has been closed.", ServiceBusFailureReason.ServiceCommunicationProblem, queue.Path));
        }

        foreach (var numbering in byEntity.Values)
        {
            numbering.Close();
        }
    }

    static ServiceBusException NotFound(string path) => new(
        "The messaging entity could not be found.", ServiceBusFailureReason.MessagingEntityNotFound, path);

    static long Ticks(TimeSpan time) => time == TimeSpan.MaxValue ? Agenda.Never : time.Ticks;

    void Add(QueueDeclaration declaration)
    {
        var allowance = new Allowance(declaration.SizeBytesMax);
        var settings = new QueueSettings(
            declaration.LockDuration.Ticks, declaration.MaxDeliveryCount, Ticks(declaration.DefaultMessageTimeToLive),
            declaration.DeadLetteringOnMessageExpiration, declaration.RequiresSession);
        var queue = Add(declaration.Name, settings, allowance);
        var history = History(queue.Entity, declaration.DuplicateDetectionWindow);
        targets.Add(declaration.Name, new(kernel, declaration.Name, allowance, history, null) { Queue = queue });
    }

    void Add(TopicDeclaration declaration)
    {
        var allowance = new Allowance(declaration.SizeBytesMax);
        var subscribers = declaration.Subscriptions.Select(s => Add(declaration.Name, s, allowance)).ToList();
        var (entity, next) = Identify(declaration.Name);
        var history = History(entity, declaration.DuplicateDetectionWindow);
        var target = new SendTarget(kernel, declaration.Name, allowance, history, subscribers);
        target.Queue = new(
            kernel, declaration.Name, entity, next, new(0, TimeToLive: Ticks(declaration.DefaultMessageTimeToLive)),
            allowance, deadLetters: null, target.BecomesDue);
        byEntity.Add(entity, target.Queue);
        targets.Add(declaration.Name, target);
    }

    Subscriber Add(string topic, SubscriptionDeclaration declaration, Allowance allowance)
    {
        var settings = new QueueSettings(
            declaration.LockDuration.Ticks, declaration.MaxDeliveryCount, Ticks(declaration.DefaultMessageTimeToLive),
            declaration.DeadLetteringOnMessageExpiration, declaration.RequiresSession);
        var rules = declaration.Rules.Any(rule => rule.Name == RuleDeclaration.DefaultName)
            ? declaration.Rules
            : [new() { Name = RuleDeclaration.DefaultName }, .. declaration.Rules];
        return new(
            Add(EntityPath.Subscription(topic, declaration.Name), settings, allowance),
            [.. rules.Select(rule => new Rule(rule))], declaration.DeadLetteringOnFilterEvaluationExceptions);
    }

    MessageQueue Add(string path, QueueSettings settings, Allowance allowance)
    {
        var dead = EntityPath.DeadLetters(path);
        var (deadEntity, deadNext) = Identify(dead);
        var letters = new MessageQueue(kernel, dead, deadEntity, deadNext, new(settings.LockDuration), allowance, null);
        var (entity, next) = Identify(path);
        var queue = new MessageQueue(kernel, path, entity, next, settings, allowance, letters);
        foreach (var added in (ReadOnlySpan<MessageQueue>)[letters, queue])
        {
            queues.Add(added.Path, added);
            byEntity.Add(added.Entity, added);
        }

        return queue;
    }

    (int Entity, long NextSequence) Identify(string path) =>
        kernel.Store?.Entity(path) ?? (++entities, 1);

    DuplicateHistory? History(int entity, TimeSpan? window)
    {
        if (window is null)
        {
            return null;
        }

        var history = new DuplicateHistory(kernel, entity, window.Value.Ticks);
        histories.Add(entity, history);
        return history;
    }

    void Restore()
    {
        if (kernel.Store is not { } store)
        {
            return;
        }

        foreach (var (entity, session, state) in store.SessionStates())
        {
            byEntity.GetValueOrDefault(entity)?.RestoreState(session, state);
        }

        foreach (var (entity, messageId, until) in store.RememberedIds())
        {
            histories.GetValueOrDefault(entity)?.Restore(messageId, until);
        }

        var unserved = new HashSet<int>();
        foreach (var row in store.Messages())
        {
            kernel.ContinueAfter(row.Id);
            if (!byEntity.TryGetValue(row.Entity, out var queue))
            {
                unserved.Add(row.Entity);
                continue;
            }

            queue.Restore(new()
            {
                Id = row.Id, Sequence = row.Sequence, EnqueuedSequence = row.EnqueuedSequence, Session = row.Session,
                Standing = row.Standing, Deliveries = row.Deliveries, EnqueuedAt = row.EnqueuedAt,
                ExpiresAt = row.ExpiresAt, DueAt = row.DueAt, Size = row.Size,
            });
        }

        Unserved = [.. store.Entities().Where(entity => unserved.Contains(entity.Id)).Select(entity => entity.Path)];
    }
}
