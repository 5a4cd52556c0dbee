using Azure.Messaging.ServiceBus;
using Runtime.Messaging.Storage;

namespace Runtime.Messaging.Queues;

/// <summary>Where a message stands: ready, out, waiting for its time or set aside.</summary>
sealed partial class MessageQueue
{
    /// <summary>Takes an available message out of the places it is offered in.</summary>
    void Withdraw(StoredMessage message)
    {
        expiring.Remove(message);
        if (settings.RequiresSession)
        {
            WithdrawFromSession(message);
        }
        else
        {
            available.Remove(message);
        }
    }

    void Expire(StoredMessage message)
    {
        if (settings.DeadLettersExpired)
        {
            DeadLetter(message, DeadLetterReasons.Expired);
        }
        else
        {
            Remove(message);
        }
    }

    /// <summary>Injected delay. In a session everything behind the message waits too, so that the order holds.</summary>
    bool Hold(StoredMessage message)
    {
        if (message.Deliveries > 0 || DeadLetters is null || !kernel.Faults.Strikes(kernel.Faults.Delays))
        {
            return false;
        }

        var until = kernel.Now + kernel.Faults.ChooseDelay();
        if (settings.RequiresSession)
        {
            var session = SessionOf(message.Session!);
            session.HeldUntil = Math.Max(session.HeldUntil, until);
            held.Enqueue(session, until);
            return false;
        }

        held.Enqueue(message, until);
        return true;
    }

    void Unhold(object item)
    {
        if (item is Session session)
        {
            Settle(session);
        }
        else
        {
            Offer((StoredMessage)item);
        }
    }

    void Store(StoredMessage message, byte[]? payload) => kernel.Commit.Add(new Change.MessageChanged(
        message.Id, Entity, message.Sequence, message.Standing, message.Deliveries, message.EnqueuedAt,
        message.ExpiresAt, payload));

    void KeepResident(StoredMessage message)
    {
        kernel.ResidentBytes += message.Size;
        if (kernel.Commit.IsDurable && kernel.ResidentBytes > kernel.Options.ResidentBytesMax)
        {
            // Not before it is in the file: until then this is the only copy. Other bytes by then have another reason.
            var added = message.Payload;
            kernel.Commit.Afterwards(failure =>
            {
                if (failure is null && ReferenceEquals(message.Payload, added))
                {
                    Unload(message);
                }
            });
        }
    }

    void Unload(StoredMessage message)
    {
        if (message.Payload is not null)
        {
            kernel.ResidentBytes -= message.Size;
            message.Payload = null;
        }
    }

    Delivery Deliver(StoredMessage message, int deliveryCount) => new(
        Load(message), message.Sequence, message.EnqueuedSequence, message.Standing, deliveryCount,
        message.EnqueuedAt, message.ExpiresAt, message.DueAt, message.LockToken, message.LockedUntil);

    ServiceBusException NotFound(string what) => new(
        $"There is no such {what} message.", ServiceBusFailureReason.MessageNotFound, Path);

    void Changed()
    {
        Pump();
        kernel.Touch(agendaId);
    }
}
