using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace Runtime.Cosmos.Storage;

/// <summary>
/// A container's identity and its two newest states: what readers see and what the writer is about to show.
/// </summary>
sealed class Container
{
    readonly ConcurrentDictionary<PartitionKey, Partition> partitions = new();
    int partitionCount;
    ContainerState visible;
    volatile ContainerDefinition definition;

    public Container(int number, int database, ContainerDefinition definition, long created)
    {
        (Number, Database, this.definition, Created) = (number, database, definition, created);
        Rid = ResourceId.Container(database, number);
        visible = Pending = ContainerState.Empty;
        PendingDefinition = definition;
    }

    public int Number { get; }

    public int Database { get; }

    public string Rid { get; }

    public long Created { get; }

    public ContainerDefinition Definition => definition;

    /// <summary>The newest durable state.</summary>
    public ContainerState Visible => Volatile.Read(ref visible);

    /// <summary>
    /// The writer's own: ahead of <see cref="Visible"/> while a group of writes is on its way to disk.
    /// </summary>
    public ContainerState Pending { get; set; }

    public ContainerDefinition PendingDefinition { get; set; }

    /// <summary>Shows readers what is now durable.</summary>
    public void Publish()
    {
        definition = PendingDefinition;
        Volatile.Write(ref visible, Pending);
    }

    /// <summary>Forgets what could not be made durable.</summary>
    public void Discard() => (Pending, PendingDefinition) = (visible, definition);

    public void Load(ContainerState state) => visible = Pending = state;

    public Partition? Find(PartitionKey key) => partitions.GetValueOrDefault(key);

    public Partition PartitionOf(PartitionKey key) => partitions.GetOrAdd(
        key,
        static (added, self) =>
            new Partition(added, Interlocked.Increment(ref self.partitionCount), self.Definition.IsHierarchical),
        this);

    public string ItemRid(long number) => ResourceId.Item(Database, Number, number);

    public string ItemSelf(long number) =>
        $"dbs/{ResourceId.Database(Database)}/colls/{Rid}/docs/{ItemRid(number)}/";
}

sealed record Database(int Number, string Id, long Created)
{
    public string Rid { get; } = ResourceId.Database(Number);

    public ImmutableSortedDictionary<string, Container> Containers { get; init; } =
        ImmutableSortedDictionary.Create<string, Container>(StringComparer.Ordinal);
}

/// <summary>All databases and containers at one instant.</summary>
sealed record Catalog
{
    public ImmutableSortedDictionary<string, Database> Databases { get; init; } =
        ImmutableSortedDictionary.Create<string, Database>(StringComparer.Ordinal);

    /// <summary>The highest number given to a database or a container; never given again.</summary>
    public int LastNumber { get; init; }

    public Catalog With(Database database) => this with { Databases = Databases.SetItem(database.Id, database) };
}
