namespace Azure.Messaging.ServiceBus;

/// <summary>The parts of a connection string.</summary>
public class ServiceBusConnectionStringProperties
{
    public Uri? Endpoint { get; private set; }

    public string? EntityPath { get; private set; }

    public string? FullyQualifiedNamespace => Endpoint?.Host;

    public string? SharedAccessKey { get; private set; }

    public string? SharedAccessKeyName { get; private set; }

    public string? SharedAccessSignature { get; private set; }

    /// <exception cref="FormatException">A part is not of the form name=value, or the endpoint is none.</exception>
    public static ServiceBusConnectionStringProperties Parse(string connectionString)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);
        var properties = new ServiceBusConnectionStringProperties();
        foreach (var part in connectionString.Split(
            ';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var (name, value) = part.IndexOf('=', StringComparison.Ordinal) is var at and > 0
                ? (part[..at].Trim(), part[(at + 1)..].Trim())
                : throw new FormatException("The connection string is malformed: its parts are name=value.");
            switch (name.ToUpperInvariant())
            {
                case "ENDPOINT":
                    properties.Endpoint = Uri.TryCreate(value, UriKind.Absolute, out var endpoint)
                        && endpoint.Scheme == "sb"
                        ? endpoint
                        : throw new FormatException(
                            "The connection string is malformed: an endpoint begins with sb://.");
                    break;
                case "ENTITYPATH": properties.EntityPath = value; break;
                case "SHAREDACCESSKEYNAME": properties.SharedAccessKeyName = value; break;
                case "SHAREDACCESSKEY": properties.SharedAccessKey = value; break;
                case "SHAREDACCESSSIGNATURE": properties.SharedAccessSignature = value; break;
            }
        }

        return properties;
    }

    /// <summary>The namespace, if the string would do for a client.</summary>
    internal string RequireNamespace()
    {
        var hasKey = !string.IsNullOrEmpty(SharedAccessKeyName) && !string.IsNullOrEmpty(SharedAccessKey);
        return FullyQualifiedNamespace is { Length: > 0 } host
            && (hasKey || !string.IsNullOrEmpty(SharedAccessSignature))
            ? host
            : throw new ArgumentException(
                "A connection string names its endpoint and a shared access key or signature.", "connectionString");
    }
}
