using EventSourcing.Tests.Commands;

namespace EventSourcing.Tests.Stores;

public sealed class CosmosStoreTests(LocalCosmos cosmos)
    : EventStoreConformance(cosmos.Store), IClassFixture<LocalCosmos>;

public sealed class DecidingOnCosmosTests(LocalCosmos cosmos)
    : DecidingTests(cosmos.Store), IClassFixture<LocalCosmos>;

public sealed class RepeatOnCosmosTests(LocalCosmos cosmos)
    : RepeatTests(cosmos.Store), IClassFixture<LocalCosmos>;

public sealed class SnapshotOnCosmosTests(LocalCosmos cosmos)
    : SnapshotTests(cosmos.Store), IClassFixture<LocalCosmos>;
