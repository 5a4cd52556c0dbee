using System.Threading.Channels;
using Runtime.Cosmos.ChangeFeed;
using Runtime.Cosmos.Http;

namespace Runtime.Cosmos.Storage;

/// <summary>
/// All databases in memory and, when it has a file, on disk; one writer, readers that never wait for it.
/// </summary>
/// <remarks>
/// Without a file a write runs at once under a lock. With one, writes queue; the writer runs every waiting one against
/// the pending states, commits all of them to the file together, and only then shows them to readers and answers. So
/// an answer means durable, nothing durable can have been built on something lost, and one disk flush serves many.
/// </remarks>
sealed class Store : IAsyncDisposable
{
    readonly Lock gate = new();
    readonly TimeProvider clock;
    readonly Journal? journal;
    readonly Channel<Write>? queue;
    readonly Task writer;
    Catalog visible;
    Catalog pending;

    public Store(TimeProvider clock, Journal? journal)
    {
        (this.clock, this.journal) = (clock, journal);
        visible = pending = journal?.Load(Now) ?? new Catalog();
        writer = Task.CompletedTask;
        if (journal is not null)
        {
            queue = Channel.CreateBounded<Write>(
                new BoundedChannelOptions(CosmosLimits.WritesWaitingMax) { SingleReader = true });
            writer = Task.Run(WriteGroupsAsync);
        }
    }

    public Catalog Catalog => Volatile.Read(ref visible);

    public long Now => clock.GetUtcNow().ToUnixTimeSeconds();

    /// <summary>Runs the work alone on the newest state and answers when its changes are durable and visible.</summary>
    public Task<T> WriteAsync<T>(Func<WriteScope, T> work)
    {
        if (queue is null)
        {
            lock (gate)
            {
                var scope = new WriteScope(pending, Now);
                var result = work(scope);
                Publish(scope);
                return Task.FromResult(result);
            }
        }

        var write = new Write<T>(work);
        return queue.Writer.TryWrite(write)
            ? write.Task
            : throw new Refused(503, "ServiceUnavailable", "Too many writes are waiting, or the server is closing.");
    }

    public async ValueTask DisposeAsync()
    {
        queue?.Writer.TryComplete();
        await writer;
        journal?.Dispose();
    }

    async Task WriteGroupsAsync()
    {
        var group = new List<Write>();
        while (await queue!.Reader.WaitToReadAsync())
        {
            group.Clear();
            var scope = new WriteScope(pending, Now);
            while (group.Count < WriteScope.GroupMax && queue.Reader.TryRead(out var write))
            {
                write.Run(scope);
                group.Add(write);
            }

            CommitGroup(scope, group);
        }
    }

    void CommitGroup(WriteScope scope, List<Write> group)
    {
        try
        {
            journal!.Commit(scope.Changes);
        }
        catch (Exception fault)
        {
            // Mostly the disk's refusal. None of the group happened, every caller learns it, and the writer goes on:
            // a writer that ended here would leave all later callers waiting for ever.
            foreach (var container in scope.Touched)
            {
                container.Discard();
            }

            group.ForEach(write => write.Fail(fault));
            return;
        }

        Publish(scope);
        group.ForEach(write => write.Answer());
    }

    void Publish(WriteScope scope)
    {
        foreach (var container in scope.Touched)
        {
            container.Publish();
        }

        pending = scope.Catalog;
        Volatile.Write(ref visible, pending);
    }

    abstract class Write
    {
        public abstract void Run(WriteScope scope);

        public abstract void Answer();

        public abstract void Fail(Exception fault);
    }

    sealed class Write<T>(Func<WriteScope, T> work) : Write
    {
        readonly TaskCompletionSource<T> completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
        T? result;
        Exception? refused;

        public Task<T> Task => completion.Task;

        public override void Run(WriteScope scope)
        {
            try
            {
                result = work(scope);
            }
            catch (Exception thrown)
            {
                // It belongs to this caller, not to the writer, which must go on for the others in the group.
                refused = thrown;
            }
        }

        public override void Answer()
        {
            if (refused is null)
            {
                completion.SetResult(result!);
            }
            else
            {
                completion.SetException(refused);
            }
        }

        public override void Fail(Exception fault) => completion.SetException(
            new Refused(503, "ServiceUnavailable", $"The write could not be made durable: {fault.Message}"));
    }
}

/// <summary>
/// What the writer has done and not yet shown: the catalog to be, the changes, the containers touched.
/// </summary>
sealed class WriteScope(Catalog catalog, long now)
{
    /// <summary>Writes that share one commit; bounds how long the first of them waits for the last.</summary>
    public const int GroupMax = 256;

    readonly List<StoredChange> changes = [];
    readonly HashSet<Container> touched = [];

    public Catalog Catalog { get; set; } = catalog;

    public long Now => now;

    public IReadOnlyList<StoredChange> Changes => changes;

    public IReadOnlyCollection<Container> Touched => touched;

    public ItemTransaction Begin(Container container)
    {
        var transaction = new ItemTransaction(container, now);
        transaction.Sweep();
        return transaction;
    }

    public void Commit(ItemTransaction transaction)
    {
        if (transaction.Changes.Count == 0)
        {
            return;
        }

        transaction.Container.Pending = transaction.State;
        touched.Add(transaction.Container);
        changes.Add(new ItemsChange(
            transaction.Container, transaction.Changes, transaction.History, transaction.State.LastNumber));
    }

    /// <summary>Gives a container another definition; a new lifetime counts for the items it already has.</summary>
    public void Redefine(Container container, ContainerDefinition definition)
    {
        changes.Add(new ContainerChange(container, definition, IsDropped: false));
        touched.Add(container);
        var before = container.PendingDefinition;
        container.PendingDefinition = definition;
        if (definition.DefaultTimeToLive == before.DefaultTimeToLive)
        {
            return;
        }

        var state = container.Pending;
        container.Pending = ContainerState.Load(
            [.. state.ByNumber.All().Select(item => item.Expiring(definition.Expiry(item)))],
            state.Lsn, state.LastNumber) with { History = state.History };
    }

    /// <summary>Makes an index of what the container holds; kept up to date by every write from now on.</summary>
    public bool AddIndex(Container container, IndexDefinition definition)
    {
        var state = container.Pending;
        if (!state.Indexes.ContainsKey(definition.Name))
        {
            var index = ValueIndex.Build(definition, state.ByNumber.All());
            container.Pending = state with { Indexes = state.Indexes.Add(definition.Name, index) };
            touched.Add(container);
        }

        return true;
    }

    public void Add(StoredChange change) => changes.Add(change);
}

/// <summary>One thing to write to the journal, in order.</summary>
abstract record StoredChange;

sealed record ItemsChange(
    Container Container, IReadOnlyList<ItemChange> Items, IReadOnlyList<HistoryEntry> History, long LastNumber)
    : StoredChange;

sealed record DatabaseChange(Database Database, bool IsDropped) : StoredChange;

sealed record ContainerChange(Container Container, ContainerDefinition Definition, bool IsDropped) : StoredChange;
