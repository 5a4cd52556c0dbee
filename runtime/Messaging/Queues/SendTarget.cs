using Azure.Core.Amqp;
using Azure.Messaging.ServiceBus;
using Runtime.Messaging.Filters;
using Runtime.Messaging.Storage;

namespace Runtime.Messaging.Queues;

/// <summary>One subscription as its topic sees it.</summary>
sealed record Subscriber(MessageQueue Queue, IReadOnlyList<Rule> Rules, bool DeadLettersFilterErrors);

/// <summary>Where messages are sent to: a queue, or a topic that hands them on to its subscriptions.</summary>
/// <remarks>A topic keeps nothing but messages whose time has not come; these lie in <c>queue</c>, which nobody
/// receives from. Rules are asked when a message becomes active. Called under the kernel's gate.</remarks>
sealed class SendTarget(
    Kernel kernel, string path, Allowance allowance, DuplicateHistory? duplicates,
        IReadOnlyList<Subscriber>? subscribers)
{
    /// <summary>Set once, after the target itself, because a topic's queue hands its due messages back to the target.
    /// </summary>
    public MessageQueue Queue { get; set; } = null!;

    public string Path => path;

    public IReadOnlyList<Subscriber> Subscribers => subscribers ?? [];

    /// <summary>Takes all messages or none.</summary>
    /// <returns>The numbers they got, with 0 for a repetition; and whether the answer is to get lost.</returns>
    public (long[] Sequences, bool LosesAnswer) Send(IReadOnlyList<Incoming> messages)
    {
        if (kernel.Faults.Strikes(kernel.Faults.SendFailures))
        {
            throw new ServiceBusException(
                "An injected fault: the service is busy.", ServiceBusFailureReason.ServiceBusy, path);
        }

        RefuseWhatDoesNotFit(messages);
        var sequences = new long[messages.Count];
        for (var i = 0; i < messages.Count; i++)
        {
            if (messages[i].MessageId is not { } id || duplicates is null || duplicates.Remember(id))
            {
                sequences[i] = Accept(messages[i]);
                if (kernel.Faults.Strikes(kernel.Faults.Duplicates))
                {
                    Accept(messages[i]);
                }
            }
        }

        return (sequences, kernel.Faults.Strikes(kernel.Faults.LostAcknowledgements));
    }

    /// <summary>Hands a topic's scheduled message on, now that its time has come.</summary>
    public void BecomesDue(StoredMessage message)
    {
        var life = message.ExpiresAt == Agenda.Never ? Agenda.Never : message.ExpiresAt - message.DueAt;
        Route(new(Queue.Load(message), null, message.Session, life, DueAt: 0));
    }

    long Accept(Incoming message)
    {
        if (subscribers is null || message.DueAt > kernel.Now)
        {
            return Queue.Enqueue(message).Sequence;
        }

        return Route(message with { TimeToLive = Math.Min(message.TimeToLive, Queue.TimeToLive) });
    }

    long Route(Incoming message)
    {
        var number = Queue.NextSequence();
        var content = Payload.Decode(message.Payload);
        foreach (var subscriber in subscribers!)
        {
            try
            {
                foreach (var copy in Copies(subscriber, message, content))
                {
                    subscriber.Queue.Enqueue(copy, number);
                }
            }
            catch (SqlEvaluationException problem)
            {
                if (subscriber.DeadLettersFilterErrors)
                {
                    subscriber.Queue.EnqueueDead(message, number, DeadLetterReasons.Filter(problem.Message));
                }
            }
        }

        return number;
    }

    /// <summary>
    /// One copy if any rule without an action selects the message, and one for every rule with an action.
    /// </summary>
    static List<Incoming> Copies(Subscriber subscriber, Incoming message, AmqpAnnotatedMessage content)
    {
        var plain = false;
        var copies = new List<Incoming>();
        foreach (var rule in subscriber.Rules)
        {
            if (rule.Action is null)
            {
                plain = plain || rule.Selects(content);
            }
            else if (rule.Selects(content))
            {
                var changed = Payload.Decode(message.Payload);
                SqlEvaluation.Apply(rule.Action, changed);
                copies.Add(message with { Payload = Payload.Encode(changed), Session = changed.Properties.GroupId });
            }
        }

        if (plain)
        {
            copies.Insert(0, message);
        }

        return copies;
    }

    void RefuseWhatDoesNotFit(IReadOnlyList<Incoming> messages)
    {
        if (Queue.RequiresSession && messages.Any(message => message.Session is null))
        {
            throw new InvalidOperationException(
                $"The SessionId was not set on a message, and it cannot be sent to '{path}'. Entities that have session " +
                "support enabled can only receive messages that have the SessionId set to a valid value.");
        }

        var bytes = messages.Sum(message => (long)message.Payload.Length);
        var count = subscribers is null ? Queue.Count : subscribers.Select(s => s.Queue.Count).DefaultIfEmpty().Max();
        if (allowance.BytesUsed + bytes > allowance.BytesMax)
        {
            throw new ServiceBusException(
                $"It holds {allowance.BytesUsed} of {allowance.BytesMax} bytes.",
                    ServiceBusFailureReason.QuotaExceeded, path);
        }

        if (count + messages.Count > kernel.Options.EntityMessagesMax)
        {
            throw new ServiceBusException(
                $"It holds {count} of {kernel.Options.EntityMessagesMax} messages.",
                ServiceBusFailureReason.QuotaExceeded, path);
        }
    }
}
