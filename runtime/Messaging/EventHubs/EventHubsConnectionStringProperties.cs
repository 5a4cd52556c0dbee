namespace Azure.Messaging.EventHubs;

/// <summary>The parts of a connection string.</summary>
public class EventHubsConnectionStringProperties
{
    public Uri? Endpoint { get; private set; }

    public string? EventHubName { get; private set; }

    public string? FullyQualifiedNamespace => Endpoint?.Host;

    public string? SharedAccessKey { get; private set; }

    public string? SharedAccessKeyName { get; private set; }

    public string? SharedAccessSignature { get; private set; }

    /// <exception cref="FormatException">A part is not of the form name=value, or the endpoint is none.</exception>
    public static EventHubsConnectionStringProperties Parse(string connectionString)
    {
        // Both services write their connection strings alike; only what EntityPath is called differs.
        var parsed = ServiceBus.ServiceBusConnectionStringProperties.Parse(connectionString);
        return new()
        {
            Endpoint = parsed.Endpoint,
            EventHubName = parsed.EntityPath,
            SharedAccessKey = parsed.SharedAccessKey,
            SharedAccessKeyName = parsed.SharedAccessKeyName,
            SharedAccessSignature = parsed.SharedAccessSignature,
        };
    }

    /// <summary>The namespace and hub that a client is to use.</summary>
    internal static (string Host, string HubName) Require(string connectionString, string? eventHubName)
    {
        var host = ServiceBus.ServiceBusConnectionStringProperties.Parse(connectionString).RequireNamespace();
        var inString = Parse(connectionString).EventHubName;
        if (!string.IsNullOrEmpty(inString) && !string.IsNullOrEmpty(eventHubName) && inString != eventHubName)
        {
            throw new ArgumentException(
                $"The connection string names the event hub '{inString}', the caller '{eventHubName}'.",
                    nameof(eventHubName));
        }

        var name = string.IsNullOrEmpty(inString) ? eventHubName : inString;
        return string.IsNullOrEmpty(name)
            ? throw new ArgumentException(
                "Neither the connection string nor the caller names the event hub.", nameof(eventHubName))
            : (host, name);
    }
}
