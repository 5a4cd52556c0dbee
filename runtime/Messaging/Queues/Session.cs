namespace Runtime.Messaging.Queues;

/// <summary>One session of a queue: its messages in order, its holder and its state.</summary>
sealed class Session(string id)
{
    public string Id { get; } = id;

    public SortedSet<StoredMessage> Available { get; } = new(MessageOrder.BySequence);

    /// <summary>Messages its holder has and has not settled.</summary>
    public HashSet<StoredMessage> Out { get; } = [];

    public LinkedList<Waiter> Waiters { get; } = [];

    public byte[]? State { get; set; }

    public Guid LockToken { get; set; }

    public long LockedUntil { get; set; }

    public LinkedListNode<Session>? LockPlace { get; set; }

    /// <summary>Until then an injected delay keeps its messages back.</summary>
    public long HeldUntil { get; set; }

    /// <summary>Under which number it stands among the sessions to be accepted; null when it does not.</summary>
    public long? ReadyAt { get; set; }

    public bool IsLocked => LockToken != Guid.Empty;

    /// <summary>Nothing is lost by forgetting it.</summary>
    public bool IsIdle => !IsLocked && State is null && Available.Count == 0 && Out.Count == 0;
}

/// <summary>Proof of holding a session.</summary>
sealed record SessionGrant(string SessionId, Guid LockToken, long LockedUntil);
