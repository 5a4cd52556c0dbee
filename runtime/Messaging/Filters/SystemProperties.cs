using Azure.Core.Amqp;
using Runtime.Messaging.Storage;

namespace Runtime.Messaging.Filters;

/// <summary>The properties of a message that a rule reaches as <c>sys.Name</c>.</summary>
/// <remarks>Names as in the service: what the SDK calls Subject is Label here. Properties that a message has only once
/// it lies in a subscription (its sequence number, its lock) do not exist while rules are evaluated.</remarks>
static class SystemProperties
{
    static readonly Dictionary<string, Func<AmqpAnnotatedMessage, object?>> Readers =
        new(StringComparer.OrdinalIgnoreCase)
        {
            ["ContentType"] = m => m.Properties.ContentType,
            ["CorrelationId"] = m => m.Properties.CorrelationId?.ToString(),
            ["Label"] = m => m.Properties.Subject,
            ["MessageId"] = m => m.Properties.MessageId?.ToString(),
            ["PartitionKey"] = m =>
                m.MessageAnnotations.TryGetValue(Annotations.PartitionKey, out var key) ? key : null,
            ["ReplyTo"] = m => m.Properties.ReplyTo?.ToString(),
            ["ReplyToSessionId"] = m => m.Properties.ReplyToGroupId,
            ["SessionId"] = m => m.Properties.GroupId,
            ["TimeToLive"] = m => m.Header.TimeToLive,
            ["To"] = m => m.Properties.To?.ToString(),
        };

    static readonly Dictionary<string, Action<AmqpAnnotatedMessage, string?>> Writers =
        new(StringComparer.OrdinalIgnoreCase)
        {
            ["ContentType"] = (m, value) => m.Properties.ContentType = value,
            ["CorrelationId"] = (m, value) => m.Properties.CorrelationId = value is null ? null : new(value),
            ["Label"] = (m, value) => m.Properties.Subject = value,
            ["MessageId"] = (m, value) => m.Properties.MessageId = value is null ? null : new(value),
            ["ReplyTo"] = (m, value) => m.Properties.ReplyTo = value is null ? null : new(value),
            ["ReplyToSessionId"] = (m, value) => m.Properties.ReplyToGroupId = value,
            ["SessionId"] = (m, value) => m.Properties.GroupId = value,
            ["To"] = (m, value) => m.Properties.To = value is null ? null : new(value),
        };

    public static string Names => string.Join(", ", Readers.Keys);

    public static bool Exists(string name) => Readers.ContainsKey(name);

    public static bool IsSettable(string name) => Writers.ContainsKey(name);

    public static object? Read(AmqpAnnotatedMessage message, string name) => Readers[name](message);

    public static void Write(AmqpAnnotatedMessage message, string name, object? value) =>
        Writers[name](message, value is null or string
            ? (string?)value
            : throw new SqlEvaluationException($"sys.{name} is a text; the action gives it a {value.GetType().Name}."));
}
