using Runtime.Messaging.Storage;

namespace Runtime.Messaging.Queues;

/// <summary>The message ids an entity has seen within its window, so that a repeated send is taken once.</summary>
sealed class DuplicateHistory(Kernel kernel, int entity, long window)
{
    readonly Dictionary<string, long> until = [];
    readonly Queue<(string MessageId, long Until)> order = [];

    /// <summary>Remembers an id; false when it is remembered already.</summary>
    public bool Remember(string messageId)
    {
        ForgetOld();
        if (!until.TryAdd(messageId, kernel.Now + window))
        {
            return false;
        }

        order.Enqueue((messageId, kernel.Now + window));
        kernel.Commit.Add(new Change.IdRemembered(entity, messageId, kernel.Now + window));
        return true;
    }

    /// <summary>
    /// Takes back what an earlier life remembered; to be called in the order of <paramref name="end"/>.
    /// </summary>
    public void Restore(string messageId, long end)
    {
        until[messageId] = end;
        order.Enqueue((messageId, end));
    }

    void ForgetOld()
    {
        while (order.TryPeek(out var oldest) && oldest.Until <= kernel.Now)
        {
            order.Dequeue();
            until.Remove(oldest.MessageId);
            kernel.Commit.Add(new Change.IdForgotten(entity, oldest.MessageId));
        }
    }
}
