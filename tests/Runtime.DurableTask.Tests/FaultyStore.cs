namespace Runtime.DurableTask.Tests;

/// <summary>A store whose process dies now and then, just before a commit or just after it.</summary>
sealed class FaultyStore(IInstanceStore inner, Random random, double crashChance) : IInstanceStore
{
    readonly Lock _gate = new();
    bool _dead;

    public int Commits { get; private set; }

    /// <summary>The commit before which the process dies for certain; 0 leaves it to chance.</summary>
    public int DieBefore { get; init; }

    public Unfinished Open() => inner.Open();

    public long NextSequence() => inner.NextSequence();

    public InstanceRecord? Find(string instanceId) => Alive(() => inner.Find(instanceId));

    public IReadOnlyList<HistoryTurn> ReadHistory(string instanceId) => Alive(() => inner.ReadHistory(instanceId));

    public IReadOnlyList<InstanceRecord> ReadChildren(string parentInstanceId) =>
        Alive(() => inner.ReadChildren(parentInstanceId));

    public IReadOnlyList<InstanceRecord> List(ListFilter filter) => Alive(() => inner.List(filter));

    public async Task CommitAsync(Commit commit)
    {
        bool dies, after;
        lock (_gate)
        {
            Refuse();
            Commits++;
            dies = random.NextDouble() < crashChance;
            after = random.Next(2) == 0 && Commits != DieBefore;
            dies |= Commits == DieBefore;
            _dead = dies;
        }

        if (!dies || after)
        {
            await inner.CommitAsync(commit);
        }

        lock (_gate)
        {
            Refuse();
        }
    }

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    T Alive<T>(Func<T> read)
    {
        lock (_gate)
        {
            Refuse();
        }

        return read();
    }

    void Refuse()
    {
        if (_dead)
        {
            throw new IOException("The process has died.");
        }
    }
}
