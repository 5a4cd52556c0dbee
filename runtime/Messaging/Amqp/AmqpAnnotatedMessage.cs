namespace Azure.Core.Amqp;

/// <summary>A message as AMQP sees it: a body and the sections around it, made only when they are used.</summary>
public class AmqpAnnotatedMessage
{
    AmqpMessageHeader? header;
    AmqpMessageProperties? properties;
    Dictionary<string, object>? applicationProperties;
    Dictionary<string, object>? deliveryAnnotations;
    Dictionary<string, object>? footer;
    Dictionary<string, object>? messageAnnotations;

    public AmqpAnnotatedMessage(AmqpMessageBody body)
    {
        ArgumentNullException.ThrowIfNull(body);
        Body = body;
    }

    public AmqpMessageBody Body { get; set; }

    public AmqpMessageHeader Header => header ??= new();

    public AmqpMessageProperties Properties => properties ??= new();

    public IDictionary<string, object> ApplicationProperties => applicationProperties ??= [];

    public IDictionary<string, object> DeliveryAnnotations => deliveryAnnotations ??= [];

    public IDictionary<string, object> Footer => footer ??= [];

    public IDictionary<string, object> MessageAnnotations => messageAnnotations ??= [];

    public bool HasSection(AmqpMessageSection section) => section switch
    {
        AmqpMessageSection.Header => header is not null,
        AmqpMessageSection.DeliveryAnnotations => deliveryAnnotations is not null,
        AmqpMessageSection.MessageAnnotations => messageAnnotations is not null,
        AmqpMessageSection.Properties => properties is not null,
        AmqpMessageSection.ApplicationProperties => applicationProperties is not null,
        AmqpMessageSection.Body => true,
        AmqpMessageSection.Footer => footer is not null,
        _ => throw new ArgumentException($"Unknown AMQP message section: {section}.", nameof(section)),
    };
}

public enum AmqpMessageSection
{
    Header,
    DeliveryAnnotations,
    MessageAnnotations,
    Properties,
    ApplicationProperties,
    Body,
    Footer,
}
