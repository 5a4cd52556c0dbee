using Azure.Messaging.ServiceBus;
using Runtime.Messaging.Storage;

namespace Runtime.Messaging.Queues;

/// <content>Handing messages out under a lock, and getting the outcome.</content>
sealed partial class MessageQueue
{
    /// <summary>In the order in which they end, for all locks of a queue last equally long.</summary>
    readonly LinkedList<StoredMessage> locked = [];

    readonly LinkedList<Waiter> receivers = [];
    readonly SortedSet<Waiter> waiters = new(Waiter.ByDeadline);
    long waiterOrder;

    /// <summary>How far an injected disorder reaches.</summary>
    const int ReorderWithin = 16;

    /// <summary>Hands out what is there, at most <paramref name="countMax"/>; empty when nothing is.</summary>
    public IReadOnlyList<Delivery> Receive(int countMax, bool andDelete, SessionGrant? grant)
    {
        var taken = Take(countMax, andDelete, Holder(grant));
        Changed();
        return taken;
    }

    public MessageWaiter Wait(int countMax, bool andDelete, SessionGrant? grant, long wait)
    {
        var session = Holder(grant);
        var waiter = new MessageWaiter(Later(kernel.Now, wait), ++waiterOrder, countMax, andDelete, session);
        Enlist(waiter, session?.Waiters ?? receivers);
        Changed();
        return waiter;
    }

    /// <summary>Ends a wait early; false when it has ended already.</summary>
    public bool Forget(Waiter waiter)
    {
        if (!waiters.Remove(waiter))
        {
            return false;
        }

        waiter.Place!.List!.Remove(waiter.Place);
        kernel.Touch(agendaId);
        return true;
    }

    public void FailWaiters(Exception reason)
    {
        while (waiters.Min is { } waiter)
        {
            Forget(waiter);
            waiter.Fail(reason);
        }
    }

    public IReadOnlyList<Delivery> ReceiveDeferred(IReadOnlyList<long> sequences, bool andDelete, SessionGrant? grant)
    {
        var session = Holder(grant);
        var found = sequences.Distinct().Select(Find).ToList();
        if (found.Any(m => m is not { Standing: Standing.Deferred, IsLocked: false }
            || (session is not null && m.Session != session.Id)))
        {
            throw NotFound("deferred");
        }

        var deliveries = found.ConvertAll(message => HandOut(message!, andDelete, session));
        Changed();
        return deliveries;
    }

    public void Complete(long sequence, Guid token, SessionGrant? grant)
    {
        var message = Settled(sequence, token, grant);
        Unlock(message);
        Remove(message);
        Changed();
    }

    public void Abandon(long sequence, Guid token, SessionGrant? grant, IDictionary<string, object>? properties)
    {
        var message = Settled(sequence, token, grant);
        Rewrite(message, properties);
        Release(message, counted: true);
        Changed();
    }

    public void Defer(long sequence, Guid token, SessionGrant? grant, IDictionary<string, object>? properties)
    {
        var message = Settled(sequence, token, grant);
        Rewrite(message, properties);
        Unlock(message);
        message.Standing = Standing.Deferred;
        Store(message, payload: null);
        Changed();
    }

    public void DeadLetter(
        long sequence, Guid token, SessionGrant? grant, DeadLetterReason reason, IDictionary<string,
            object>? properties)
    {
        if (DeadLetters is null)
        {
            throw new InvalidOperationException("A dead letter cannot be dead-lettered again.");
        }

        var message = Settled(sequence, token, grant);
        Rewrite(message, properties);
        Unlock(message);
        DeadLetter(message, reason);
        Changed();
    }

    /// <summary>Lets a lock begin anew.</summary>
    public long RenewLock(long sequence, Guid token)
    {
        var message = Settled(sequence, token, grant: null);
        message.LockedUntil = Later(kernel.Now, settings.LockDuration);
        locked.Remove(message.LockPlace!);
        locked.AddLast(message.LockPlace!);
        kernel.Touch(agendaId);
        return message.LockedUntil;
    }

    List<Delivery> Take(int countMax, bool andDelete, Session? session)
    {
        var source = session?.Available ?? available;
        var deliveries = new List<Delivery>();
        if (session?.HeldUntil > kernel.Now)
        {
            return deliveries;
        }

        while (deliveries.Count < countMax && source.Count > 0)
        {
            var message = source.Min!;
            if (session is null && DeadLetters is not null && kernel.Faults.Strikes(kernel.Faults.Reorders))
            {
                message = source.ElementAt(kernel.Faults.Choose(Math.Min(source.Count, ReorderWithin)));
            }

            Withdraw(message);
            deliveries.Add(HandOut(message, andDelete, session));
        }

        return deliveries;
    }

    Delivery HandOut(StoredMessage message, bool andDelete, Session? session)
    {
        message.Deliveries++;
        if (andDelete)
        {
            var delivery = Deliver(message, message.Deliveries);
            Remove(message);
            return delivery;
        }

        kernel.Commit.Add(new Change.MessageDelivered(message.Id, message.Deliveries));
        message.LockToken = kernel.NextLockToken();
        if (session is null)
        {
            message.LockedUntil = Later(kernel.Now, settings.LockDuration);
            message.LockPlace = locked.AddLast(message);
        }
        else
        {
            message.LockedUntil = session.LockedUntil;
            session.Out.Add(message);
        }

        return Deliver(message, message.Deliveries);
    }

    /// <summary>The message that a receiver settles, if its lock still holds.</summary>
    StoredMessage Settled(long sequence, Guid token, SessionGrant? grant)
    {
        var session = Holder(grant);
        var message = Find(sequence);
        if (token == Guid.Empty || message is null || message.LockToken != token ||
            (session is not null && !session.Out.Contains(message)))
        {
            throw LockLost();
        }

        if (kernel.Faults.Strikes(kernel.Faults.LockLosses))
        {
            if (session is null)
            {
                Release(message, counted: true);
                Changed();
                throw LockLost();
            }

            Release(session, counted: true);
            Changed();
            throw SessionLost(session.Id);
        }

        return message;
    }

    /// <summary>
    /// Changes a message's properties. What can be refused is refused here, while the lock still holds.
    /// </summary>
    void Rewrite(StoredMessage message, IDictionary<string, object>? properties)
    {
        if (properties is not { Count: > 0 })
        {
            return;
        }

        var content = Decode(message);
        Modify(content, properties);
        var payload = Payload.Encode(content);
        if (payload.Length > kernel.Options.MessageBytesMax)
        {
            throw new ServiceBusException(
                $"With its new properties the message has {payload.Length} of {kernel.Options.MessageBytesMax} bytes.",
                ServiceBusFailureReason.MessageSizeExceeded, Path);
        }

        Unload(message);
        allowance.BytesUsed += payload.Length - message.Size;
        kernel.ResidentBytes += payload.Length;
        message.Payload = payload;
        message.Size = payload.Length;
        Store(message, payload);
    }

    /// <summary>Ends a lock and puts the message back, unless it has come too often. Deliveries of a session that is
    /// let go are not counted.</summary>
    void Release(StoredMessage message, bool counted)
    {
        Unlock(message);
        if (!counted)
        {
            message.Deliveries--;
            kernel.Commit.Add(new Change.MessageDelivered(message.Id, message.Deliveries));
        }

        if (message.Deliveries >= settings.DeliveriesMax)
        {
            DeadLetter(message, DeadLetterReasons.Deliveries(settings.DeliveriesMax));
        }
        else
        {
            Place(message);
        }
    }

    void Unlock(StoredMessage message)
    {
        if (message.LockPlace is { } place)
        {
            locked.Remove(place);
            message.LockPlace = null;
        }

        if (message.Session is { } id && sessions.TryGetValue(id, out var session) && session.Out.Remove(message))
        {
            Settle(session);
        }

        message.LockToken = Guid.Empty;
        message.LockedUntil = 0;
    }

    void Enlist(Waiter waiter, LinkedList<Waiter> line)
    {
        if (waiters.Count >= kernel.Options.WaitingReceivesMax)
        {
            throw new ServiceBusException(
                $"{waiters.Count} receives are waiting already.", ServiceBusFailureReason.QuotaExceeded, Path);
        }

        waiters.Add(waiter);
        waiter.Place = line.AddLast(waiter);
    }

    /// <summary>Serves those who wait, as far as there is something for them.</summary>
    void Pump()
    {
        while (receivers.First?.Value is MessageWaiter waiter && available.Count > 0)
        {
            Forget(waiter);
            waiter.Deliver(Take(waiter.CountMax, waiter.AndDelete, session: null), kernel.Commit);
        }

        PumpSessions();
    }

    ServiceBusException LockLost() => new(
        "The lock supplied is invalid. Either the lock expired, or the message has already been removed from the queue.",
        ServiceBusFailureReason.MessageLockLost, Path);
}
