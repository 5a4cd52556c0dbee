using System.Collections.Concurrent;

namespace Runtime.Messaging;

/// <summary>The names under which brokers of this process are found, as DNS would name a namespace on Azure.</summary>
/// <remarks>Process-wide on purpose: the public constructors of the clients take a host name and nothing else, so that
/// the same line of application code reaches Azure in one build and the broker beside it in the other.</remarks>
static class LocalNetwork
{
    static readonly ConcurrentDictionary<string, MessageBroker> Brokers = new(StringComparer.OrdinalIgnoreCase);

    public static void Add(string name, MessageBroker broker)
    {
        if (!Brokers.TryAdd(name, broker))
        {
            throw new InvalidOperationException(
                $"A broker with the namespace '{name}' is open in this process already.");
        }
    }

    public static void Remove(string name, MessageBroker broker) => Brokers.TryRemove(new(name, broker));

    public static MessageBroker? Find(string name) => Brokers.GetValueOrDefault(name);
}
