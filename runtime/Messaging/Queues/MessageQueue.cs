using Azure.Core.Amqp;
using Runtime.Messaging.Storage;

namespace Runtime.Messaging.Queues;

/// <summary>The messages of one queue, subscription or dead-letter queue.</summary>
/// <remarks>A message is always in <c>messages</c>, and in exactly one more place: available (in the queue or in its
/// session), out under a lock, held back by an injected delay, scheduled, or deferred. Every member is called under
/// the kernel's gate.</remarks>
sealed partial class MessageQueue : ITimed
{
    const int SequenceBlock = 256;

    readonly Kernel kernel;
    readonly int agendaId;
    readonly QueueSettings settings;
    readonly Allowance allowance;
    readonly Action<StoredMessage>? becomesDue;
    readonly SortedSet<StoredMessage> messages = new(MessageOrder.BySequence);
    readonly SortedSet<StoredMessage> available = new(MessageOrder.BySequence);
    readonly SortedSet<StoredMessage> expiring = new(MessageOrder.ByExpiry);
    readonly SortedSet<StoredMessage> scheduled = new(MessageOrder.ByDue);
    readonly PriorityQueue<object, long> held = new();
    long nextSequence;
    long reservedSequence;

    /// <summary>A queue without dead letters is itself a dead-letter queue, which keeps what it has; with something
    /// that <c>becomesDue</c> is called for, it is a topic's, whose messages go on when their time comes.</summary>
    public MessageQueue(
        Kernel kernel, string path, int entity, long nextSequence, QueueSettings settings, Allowance allowance,
        MessageQueue? deadLetters, Action<StoredMessage>? becomesDue = null)
    {
        this.kernel = kernel;
        this.nextSequence = reservedSequence = nextSequence;
        this.settings = settings;
        this.allowance = allowance;
        this.becomesDue = becomesDue;
        Path = path;
        Entity = entity;
        DeadLetters = deadLetters;
        agendaId = kernel.Register(this);
    }

    public string Path { get; }

    public int Entity { get; }

    public MessageQueue? DeadLetters { get; }

    public bool RequiresSession => settings.RequiresSession;

    public long TimeToLive => settings.TimeToLive;

    public int Count => messages.Count;

    public int WaitingCount => waiters.Count;

    public long NextDue => Math.Min(
        Math.Min(expiring.Min?.ExpiresAt ?? Agenda.Never, scheduled.Min?.DueAt ?? Agenda.Never),
        Math.Min(
            Math.Min(locked.First?.Value.LockedUntil ?? Agenda.Never, lockedSessions.First?.Value.LockedUntil
                ?? Agenda.Never),
            Math.Min(waiters.Min?.Deadline ?? Agenda.Never, held.TryPeek(out _, out var until) ? until
                : Agenda.Never)));

    public EntityCounts Counts => new(
        Path, messages.Count(m => m.Standing == Standing.Active), messages.Count(m => m.Standing == Standing.Deferred),
        scheduled.Count, DeadLetters?.Count ?? 0, allowance.BytesUsed);

    /// <summary>Gives back the numbers that were reserved and not used.</summary>
    public void Close() => kernel.Commit.Reached(Entity, nextSequence);

    /// <summary>Whether a message is ready or out: something is still going to happen by itself.</summary>
    public bool IsBusy => available.Count > 0 || locked.Count > 0 || ready.Count > 0 || held.Count > 0 ||
        sessions.Values.Any(session => session.Available.Count > 0 || session.Out.Count > 0);

    /// <summary>Takes a message in, with the number that a topic gave it or only its own.</summary>
    public StoredMessage Enqueue(Incoming incoming, long? enqueuedSequence = null)
    {
        var message = Add(incoming, enqueuedSequence);
        Place(message);
        Changed();
        return message;
    }

    /// <summary>Takes a message straight to the dead letters.</summary>
    public void EnqueueDead(Incoming incoming, long enqueuedSequence, DeadLetterReason reason)
    {
        DeadLetter(Add(incoming, enqueuedSequence), reason);
        Changed();
    }

    /// <summary>Puts a message of an earlier life back where it stood. Locks are gone.</summary>
    public void Restore(StoredMessage message)
    {
        messages.Add(message);
        allowance.BytesUsed += message.Size;
        if (message.Standing == Standing.Active && message.Deliveries >= settings.DeliveriesMax)
        {
            DeadLetter(message, DeadLetterReasons.Deliveries(settings.DeliveriesMax));
        }
        else
        {
            Place(message);
        }

        Changed();
    }

    public void Advance(long now)
    {
        while (locked.First?.Value is { } lost && lost.LockedUntil <= now)
        {
            Release(lost, counted: true);
        }

        ExpireSessionLocks(now);
        while (held.TryPeek(out _, out var until) && until <= now)
        {
            Unhold(held.Dequeue());
        }

        while (scheduled.Min is { } due && due.DueAt <= now)
        {
            Activate(due);
        }

        while (expiring.Min is { } expired && expired.ExpiresAt <= now)
        {
            Withdraw(expired);
            Expire(expired);
        }

        while (waiters.Min is { } waiter && waiter.Deadline <= now)
        {
            Forget(waiter);
            waiter.TimeOut();
        }

        Changed();
    }

    public List<Delivery> Peek(long fromSequence, int countMax, string? session) =>
    [
        .. messages.GetViewBetween(Probe(fromSequence), Probe(long.MaxValue))
            .Where(message => session is null || message.Session == session)
            .Take(countMax)
            .Select(message => Deliver(message, message.IsLocked ? message.Deliveries - 1 : message.Deliveries)),
    ];

    public void Cancel(IReadOnlyList<long> sequences)
    {
        var found = sequences.Select(Find).ToList();
        if (found.Any(message => message?.Standing != Standing.Scheduled))
        {
            throw NotFound("scheduled");
        }

        foreach (var message in found.Distinct())
        {
            scheduled.Remove(message!);
            Remove(message!);
        }

        Changed();
    }

    /// <summary>Removes a message that is nowhere but in <c>messages</c> any more.</summary>
    public void Remove(StoredMessage message)
    {
        messages.Remove(message);
        allowance.BytesUsed -= message.Size;
        Unload(message);
        kernel.Commit.Add(new Change.MessageRemoved(message.Id));
    }

    /// <summary>What the message says, apart from what the broker knows of it.</summary>
    public AmqpAnnotatedMessage Decode(StoredMessage message) => Payload.Decode(Load(message));

    /// <summary>The stored form of a message, from memory or from the file.</summary>
    public byte[] Load(StoredMessage message) => message.Payload ?? kernel.Store!.ReadPayload(message.Id);

    /// <summary>Moves a message, which is nowhere but in <c>messages</c> any more, to the dead letters.</summary>
    public void DeadLetter(StoredMessage message, DeadLetterReason reason)
    {
        var content = Decode(message);
        Modify(content, reason.Properties);
        messages.Remove(message);
        allowance.BytesUsed -= message.Size;
        Unload(message);
        message.Payload = Payload.Encode(content);
        message.Size = message.Payload.Length;
        message.Standing = Standing.Active;
        message.ExpiresAt = Agenda.Never;
        DeadLetters!.TakeOver(message);
    }

    static StoredMessage Probe(long sequence) => new() { Id = 0, Sequence = sequence, EnqueuedSequence = 0 };

    static long Later(long from, long by) => by > Agenda.Never - from ? Agenda.Never : from + by;

    static void Modify(AmqpAnnotatedMessage content, IEnumerable<KeyValuePair<string, object>>? properties)
    {
        foreach (var (name, value) in properties ?? [])
        {
            content.ApplicationProperties[name] = value;
        }
    }

    StoredMessage? Find(long sequence) => messages.TryGetValue(Probe(sequence), out var message) ? message : null;

    /// <summary>Gives the next number away, to a topic for what it hands on.</summary>
    public long NextSequence()
    {
        if (nextSequence == reservedSequence)
        {
            // In blocks, so that not every message writes a counter too. A crash leaves a gap, a proper end does not.
            reservedSequence = nextSequence + SequenceBlock;
            kernel.Commit.Reached(Entity, reservedSequence);
        }

        return nextSequence++;
    }

    /// <summary>A dead letter keeps its number: the subqueue shares the numbering of its queue.</summary>
    void TakeOver(StoredMessage message)
    {
        messages.Add(message);
        allowance.BytesUsed += message.Size;
        kernel.ResidentBytes += message.Size;
        Store(message, message.Payload);
        Place(message);
        Changed();
    }

    StoredMessage Add(Incoming incoming, long? enqueuedSequence)
    {
        var sequence = NextSequence();
        var waits = incoming.DueAt > kernel.Now;
        var begins = waits ? incoming.DueAt : kernel.Now;
        var message = new StoredMessage
        {
            Id = kernel.NextMessageId(),
            Sequence = sequence,
            EnqueuedSequence = enqueuedSequence ?? sequence,
            Session = incoming.Session,
            Standing = waits ? Standing.Scheduled : Standing.Active,
            EnqueuedAt = kernel.Now,
            ExpiresAt = Later(begins, Math.Min(incoming.TimeToLive, settings.TimeToLive)),
            DueAt = incoming.DueAt,
            Payload = incoming.Payload,
            Size = incoming.Payload.Length,
        };
        messages.Add(message);
        allowance.BytesUsed += message.Size;
        kernel.Commit.Add(new Change.MessageAdded(
            message.Id, Entity, sequence, message.EnqueuedSequence, message.Standing, 0, message.EnqueuedAt,
            message.ExpiresAt, message.DueAt, message.Session, incoming.Payload));
        KeepResident(message);
        return message;
    }

    void Activate(StoredMessage message)
    {
        scheduled.Remove(message);
        if (becomesDue is not null)
        {
            becomesDue(message);
            Remove(message);
            return;
        }

        // As on Azure, a scheduled message joins the queue like a new one: with a new number, and its life begins.
        messages.Remove(message);
        message.Sequence = message.EnqueuedSequence = NextSequence();
        message.Standing = Standing.Active;
        message.ExpiresAt = message.ExpiresAt == Agenda.Never
            ? Agenda.Never
            : Later(kernel.Now, message.ExpiresAt - message.DueAt);
        message.EnqueuedAt = kernel.Now;
        messages.Add(message);
        Store(message, payload: null);
        Place(message);
    }

    /// <summary>Puts a message that is nowhere but in <c>messages</c> where it belongs now.</summary>
    void Place(StoredMessage message)
    {
        if (message.Standing == Standing.Scheduled)
        {
            scheduled.Add(message);
        }
        else if (message.Standing == Standing.Active && message.ExpiresAt <= kernel.Now)
        {
            Expire(message);
        }
        else if (message.Standing == Standing.Active && settings.RequiresSession && message.Session is null)
        {
            // A subscription takes what its topic took; it finds out that there is no session only now.
            DeadLetter(message, DeadLetterReasons.NoSession);
        }
        else if (message.Standing == Standing.Active && !Hold(message))
        {
            Offer(message);
        }
    }

    void Offer(StoredMessage message)
    {
        if (message.ExpiresAt != Agenda.Never)
        {
            expiring.Add(message);
        }

        if (settings.RequiresSession)
        {
            OfferInSession(message);
        }
        else
        {
            available.Add(message);
        }
    }
}
