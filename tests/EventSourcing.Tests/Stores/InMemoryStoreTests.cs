namespace EventSourcing.Tests.Stores;

public sealed class InMemoryStoreTests() : EventStoreConformance(new InMemoryEventStore());
