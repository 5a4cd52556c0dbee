using Azure.Messaging.EventHubs;

namespace Runtime.Messaging.Hubs;

/// <summary>What the two Event Hubs clients ask of their arguments and of themselves.</summary>
static class HubArguments
{
    public static HubConnection Connect(string fullyQualifiedNamespace, string eventHubName, object credential)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(fullyQualifiedNamespace);
        ArgumentException.ThrowIfNullOrWhiteSpace(eventHubName);
        ArgumentNullException.ThrowIfNull(credential);
        return Uri.CheckHostName(fullyQualifiedNamespace) != UriHostNameType.Unknown
            ? new(fullyQualifiedNamespace, eventHubName, broker: null)
            : throw new ArgumentException(
                $"'{fullyQualifiedNamespace}' is not a host name.", nameof(fullyQualifiedNamespace));
    }

    public static void ThrowIfClosed(bool closed, string eventHubName, string client)
    {
        if (closed)
        {
            throw new EventHubsException(
                isTransient: false, eventHubName, $"The {client} has been closed.",
                EventHubsException.FailureReason.ClientClosed);
        }
    }
}
