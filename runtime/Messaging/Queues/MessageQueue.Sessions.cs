using Azure.Messaging.ServiceBus;
using Runtime.Messaging.Storage;

namespace Runtime.Messaging.Queues;

/// <content>Sessions: one holder at a time, messages in order, a state that stays.</content>
sealed partial class MessageQueue
{
    readonly Dictionary<string, Session> sessions = [];

    /// <summary>Sessions that can be accepted, by the number of their oldest message.</summary>
    readonly SortedDictionary<long, Session> ready = [];

    readonly LinkedList<Session> lockedSessions = [];
    readonly LinkedList<Waiter> acceptors = [];

    /// <summary>Sessions something has happened to: their holder may have something now, or nothing is left of them.
    /// They are looked at when the operation is over, for in its middle a session may be empty for a moment.</summary>
    readonly List<Session> stirred = [];

    public SessionGrant AcceptSession(string id)
    {
        if (sessions.TryGetValue(id, out var taken) && taken.IsLocked)
        {
            throw new ServiceBusException(
                $"The requested session '{id}' cannot be accepted. It is locked by another receiver.",
                ServiceBusFailureReason.SessionCannotBeLocked, Path);
        }

        var grant = Grant(SessionOf(id));
        Changed();
        return grant;
    }

    /// <summary>The session that has waited longest, or null.</summary>
    public SessionGrant? AcceptNextSession()
    {
        var grant = ready.Count > 0 ? Grant(NextReady()) : null;
        Changed();
        return grant;
    }

    public SessionWaiter WaitForSession(long wait)
    {
        var waiter = new SessionWaiter(Later(kernel.Now, wait), ++waiterOrder);
        Enlist(waiter, acceptors);
        Changed();
        return waiter;
    }

    public SessionGrant RenewSessionLock(SessionGrant grant)
    {
        var session = Holder(grant)!;
        if (kernel.Faults.Strikes(kernel.Faults.LockLosses))
        {
            Release(session, counted: true);
            Changed();
            throw SessionLost(session.Id);
        }

        session.LockedUntil = Later(kernel.Now, settings.LockDuration);
        foreach (var message in session.Out)
        {
            message.LockedUntil = session.LockedUntil;
        }

        lockedSessions.Remove(session.LockPlace!);
        lockedSessions.AddLast(session.LockPlace!);
        kernel.Touch(agendaId);
        return grant with { LockedUntil = session.LockedUntil };
    }

    /// <summary>
    /// Lets a session go. What its holder has not settled goes back and does not count as an attempt.
    /// </summary>
    public void ReleaseSession(SessionGrant grant)
    {
        // Closing after the lock was lost is no error: there is nothing left to give back.
        if (sessions.TryGetValue(grant.SessionId, out var session) && session.LockToken == grant.LockToken)
        {
            Release(session, counted: false);
            Changed();
        }
    }

    public byte[]? SessionState(SessionGrant grant) => Holder(grant)!.State;

    public void SetSessionState(SessionGrant grant, byte[]? state)
    {
        if (state?.Length > kernel.Options.SessionStateBytesMax)
        {
            throw new ServiceBusException(
                $"A session's state has at most {kernel.Options.SessionStateBytesMax} bytes, not {state.Length}.",
                ServiceBusFailureReason.MessageSizeExceeded, Path);
        }

        var session = Holder(grant)!;
        allowance.BytesUsed += (state?.Length ?? 0) - (session.State?.Length ?? 0);
        session.State = state;
        kernel.Commit.Add(new Change.SessionStateSet(Entity, session.Id, state));
    }

    public void RestoreState(string sessionId, byte[] state)
    {
        SessionOf(sessionId).State = state;
        allowance.BytesUsed += state.Length;
    }

    void OfferInSession(StoredMessage message)
    {
        var session = SessionOf(message.Session!);
        session.Available.Add(message);
        Settle(session);
    }

    void WithdrawFromSession(StoredMessage message)
    {
        var session = sessions[message.Session!];
        session.Available.Remove(message);
        Settle(session);
    }

    Session SessionOf(string id)
    {
        if (!sessions.TryGetValue(id, out var session))
        {
            sessions.Add(id, session = new(id));
        }

        return session;
    }

    /// <summary>The session a grant speaks of, if it still holds; null where there are no sessions.</summary>
    Session? Holder(SessionGrant? grant)
    {
        if (!settings.RequiresSession)
        {
            return grant is null ? null : throw new InvalidOperationException($"'{Path}' has no sessions.");
        }

        if (grant is null)
        {
            throw new InvalidOperationException(
                $"It is not possible for an entity that requires sessions, '{Path}', to create a non-sessionful receiver.");
        }

        return sessions.TryGetValue(grant.SessionId, out var session) && session.LockToken == grant.LockToken
            ? session
            : throw SessionLost(grant.SessionId);
    }

    SessionGrant Grant(Session session)
    {
        session.LockToken = kernel.NextLockToken();
        session.LockedUntil = Later(kernel.Now, settings.LockDuration);
        session.LockPlace = lockedSessions.AddLast(session);
        Settle(session);
        return new(session.Id, session.LockToken, session.LockedUntil);
    }

    Session NextReady() => kernel.Faults.Strikes(kernel.Faults.Reorders)
        ? ready.ElementAt(kernel.Faults.Choose(Math.Min(ready.Count, ReorderWithin))).Value
        : ready.First().Value;

    void ExpireSessionLocks(long now)
    {
        while (lockedSessions.First?.Value is { } lost && lost.LockedUntil <= now)
        {
            Release(lost, counted: true);
        }
    }

    void Release(Session session, bool counted)
    {
        lockedSessions.Remove(session.LockPlace!);
        session.LockPlace = null;
        session.LockToken = Guid.Empty;
        foreach (var message in session.Out.ToList())
        {
            Release(message, counted);
        }

        while (session.Waiters.First?.Value is { } waiter)
        {
            Forget(waiter);
            if (counted)
            {
                waiter.Fail(SessionLost(session.Id));
            }
            else
            {
                waiter.TimeOut();
            }
        }

        Settle(session);
    }

    /// <summary>Brings a session's place among the ready ones up to date.</summary>
    void Settle(Session session)
    {
        stirred.Add(session);
        long? place = session is { IsLocked: false, Available.Min: { } first } && session.HeldUntil <= kernel.Now
            ? first.Sequence
            : null;
        if (place != session.ReadyAt)
        {
            if (session.ReadyAt is { } old)
            {
                ready.Remove(old);
            }

            session.ReadyAt = place;
            if (place is { } now)
            {
                ready.Add(now, session);
            }
        }
    }

    void PumpSessions()
    {
        for (var i = 0; i < stirred.Count; i++)
        {
            var session = stirred[i];
            while (session.Waiters.First?.Value is MessageWaiter waiter &&
                Take(waiter.CountMax, waiter.AndDelete, session) is { Count: > 0 } taken)
            {
                Forget(waiter);
                waiter.Deliver(taken, kernel.Commit);
            }
        }

        while (acceptors.First?.Value is SessionWaiter acceptor && ready.Count > 0)
        {
            Forget(acceptor);
            acceptor.Grant(Grant(NextReady()));
        }

        foreach (var session in stirred)
        {
            if (session.IsIdle && sessions.TryGetValue(session.Id, out var current) && current == session)
            {
                sessions.Remove(session.Id);
            }
        }

        stirred.Clear();
    }

    ServiceBusException SessionLost(string session) => new(
        $"The session lock of '{session}' has expired or was lost. Accept the session again.",
        ServiceBusFailureReason.SessionLockLost, Path);
}
