using System.Diagnostics;
using EventSourcing;
using static Commerce.Ordering.OrderCommand;
using static Commerce.Ordering.OrderEvent;

namespace Commerce.Ordering;

/// <summary>Whether somebody has to agree to an order, and what became of it.</summary>
public enum ApprovalState
{
    /// <summary>Nobody was asked.</summary>
    None,
    Requested,
    Approved,
    Rejected,
    Expired,
}

// What people answer to an order in flight. Who comes first is decided here, by the stream: the approval, the refusal,
// the end of the time and the customer's own wish race each other, and the first of them stands.
public sealed partial record Order
{
    public ApprovalState Approval { get; init; }

    public ReturnRequested? Return { get; init; }

    static Decision<OrderEvent> DecideApproval(OrderCommand command, Order order) => (command, order.Approval) switch
    {
        (RequestApproval, ApprovalState.None) when Closed(order) is { } refusal => refusal,
        (RequestApproval c, ApprovalState.None) => [new ApprovalRequested(c.Until)],
        (RequestApproval, _) => [],

        // An answer before the question changes nothing, and neither does the same answer twice.
        (ExpireApproval, not ApprovalState.Requested) => [],
        (_, ApprovalState.None) => OrderRefusal.ApprovalNotRequested,
        (Approve, ApprovalState.Approved) or (Reject, ApprovalState.Rejected) => [],
        (_, ApprovalState.Approved) => OrderRefusal.AlreadyApproved,
        (_, ApprovalState.Rejected) => OrderRefusal.Rejected,
        (_, ApprovalState.Expired) => OrderRefusal.ApprovalExpired,

        // The saga has given up on its own, or the customer has: an answer has nothing to decide any more.
        (ExpireApproval, _) => order.Status == OrderStatus.Pending ? [new ApprovalExpired()] : [],
        (_, _) when Closed(order) is { } refusal => refusal,
        (Approve c, _) => FaultOfPerson(c.By) is { } fault ? fault : [new Approved(c.By)],
        (Reject c, _) => (FaultOfReason(c.Reason) ?? FaultOfPerson(c.By)) is { } fault
            ? fault
            : [new Rejected(c.Reason, c.By)],
        _ => throw new UnreachableException(),
    };

    static Decision<OrderEvent> DecideWithdrawal(Withdraw c, Order order) => order.Status switch
    {
        OrderStatus.Cancelled or OrderStatus.Returned => [],
        OrderStatus.Pending => order.Request is not null ? []
            : (FaultOfReason(c.Reason) ?? FaultOfPerson(c.By)) is { } fault ? fault
            : [new CancellationRequested(c.Reason, c.By)],
        _ => order.Return is not null ? []
            : (FaultOfReason(c.Reason) ?? FaultOfPerson(c.By)) is { } fault ? fault
            : [new ReturnRequested(c.Reason, c.By)],
    };

    /// <summary>Why nobody needs to answer any more.</summary>
    static Refusal? Closed(Order order) => order.Status switch
    {
        OrderStatus.Pending => order.Request is null ? null : OrderRefusal.CancellationRequested,
        OrderStatus.Cancelled => OrderRefusal.Cancelled,
        _ => OrderRefusal.Confirmed,
    };

    // A semantic lock: once somebody was asked, nobody confirms without the answer.
    static Refusal? Unapproved(Order order) => order.Approval switch
    {
        ApprovalState.Requested => OrderRefusal.ApprovalPending,
        ApprovalState.Rejected => OrderRefusal.Rejected,
        ApprovalState.Expired => OrderRefusal.ApprovalExpired,
        _ => null,
    };

    static Refusal? FaultOfReason(string? reason) => Text.IsLine(reason, TextLengthMax)
        ? null
        : OrderRefusal.Invalid($"The reason is 1 to {TextLengthMax} characters.");

    static Refusal? FaultOfPerson(string? by) => Text.IsLine(by, NameLengthMax)
        ? null
        : OrderRefusal.Invalid($"Who asks is 1 to {NameLengthMax} characters.");
}
