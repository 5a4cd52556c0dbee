using Runtime.Messaging.Storage;

namespace Runtime.Messaging.Queues;

/// <summary>Somebody who waits for messages or for a session, until a deadline.</summary>
abstract class Waiter(long deadline, long order)
{
    public static readonly Comparer<Waiter> ByDeadline = Comparer<Waiter>.Create((a, b) =>
        a.Deadline != b.Deadline ? a.Deadline.CompareTo(b.Deadline) : a.order.CompareTo(b.order));

    readonly long order = order;

    public long Deadline { get; } = deadline;

    public LinkedListNode<Waiter>? Place { get; set; }

    /// <summary>Answers that nothing came.</summary>
    public abstract void TimeOut();

    /// <summary>Answers with an error; also how a caller's cancellation ends the wait.</summary>
    public abstract void Fail(Exception reason);
}

/// <summary>Waits for messages of a queue, or of one session in it.</summary>
sealed class MessageWaiter(long deadline, long order, int countMax, bool andDelete, Session? session)
    : Waiter(deadline, order)
{
    readonly TaskCompletionSource<IReadOnlyList<Delivery>> answer =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int CountMax => countMax;

    public bool AndDelete => andDelete;

    public Session? Session => session;

    public Task<IReadOnlyList<Delivery>> Answer => answer.Task;

    /// <summary>Answers once the delivery is durable.</summary>
    public void Deliver(IReadOnlyList<Delivery> messages, GroupCommit commit) => commit.Afterwards(failure =>
    {
        if (failure is null)
        {
            answer.SetResult(messages);
        }
        else
        {
            answer.SetException(failure);
        }
    });

    public override void TimeOut() => answer.SetResult([]);

    public override void Fail(Exception reason) => Settle(answer, reason);

    internal static void Settle<T>(TaskCompletionSource<T> answer, Exception reason)
    {
        if (reason is OperationCanceledException cancelled)
        {
            answer.SetCanceled(cancelled.CancellationToken);
        }
        else
        {
            answer.SetException(reason);
        }
    }
}

/// <summary>Waits for any session that has messages and no holder; a timeout answers null.</summary>
sealed class SessionWaiter(long deadline, long order) : Waiter(deadline, order)
{
    readonly TaskCompletionSource<SessionGrant?> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<SessionGrant?> Answer => answer.Task;

    public void Grant(SessionGrant grant) => answer.SetResult(grant);

    public override void TimeOut() => answer.SetResult(null);

    public override void Fail(Exception reason) => MessageWaiter.Settle(answer, reason);
}
