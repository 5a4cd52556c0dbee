using Runtime.Messaging.Storage;

namespace Runtime.Messaging.Queues;

/// <summary>Why a message is dead, as it is written on the message.</summary>
readonly record struct DeadLetterReason(string? Reason, string? Description)
{
    public IEnumerable<KeyValuePair<string, object>> Properties
    {
        get
        {
            if (Reason is not null)
            {
                yield return new(Annotations.DeadLetterReason, Reason);
            }

            if (Description is not null)
            {
                yield return new(Annotations.DeadLetterErrorDescription, Description);
            }
        }
    }
}

/// <summary>The broker's own reasons, in the service's words.</summary>
static class DeadLetterReasons
{
    public static readonly DeadLetterReason Expired =
        new("TTLExpiredException", "The message expired and was dead lettered.");

    public static readonly DeadLetterReason NoSession = new(
        "Session ID is null.", "Session enabled entity doesn't allow a message whose session identifier is null.");

    public static DeadLetterReason Deliveries(int count) =>
        new("MaxDeliveryCountExceeded", $"Message could not be consumed after {count} delivery attempts.");

    public static DeadLetterReason Filter(string problem) => new("FilterEvaluationException", problem);
}
