namespace EventSourcing.Backup;

/// <summary>A backup is read into an empty store alone; nothing was stored.</summary>
public sealed class StoreNotEmptyException()
    : InvalidOperationException("The store is not empty; an import that was interrupted is resumed by saying so.");

/// <summary>
/// Reads a backup into an empty store and makes sure that the store then holds exactly what the backup holds.
/// </summary>
/// <remarks>
/// The whole file is checked before the first event is stored. Each command's events are appended as they once were,
/// so an import that was interrupted can be run again: what is there already is compared, not stored twice.
/// </remarks>
public sealed class BackupImport(IEventStore store, IEventArchive archive)
{
    public const int StreamsInParallelMax = 16;

    const int EventsAtOnceMax = 2_000;

    /// <summary>Told how many events of the backup the store holds, after every few thousand of them.</summary>
    public Action<long>? Progress { get; init; }

    /// <summary>Checks every line and returns how many events the backup has; nothing is stored.</summary>
    /// <exception cref="BackupRefusedException">The file is torn, edited, or not what it says.</exception>
    public static async Task<long> VerifyAsync(Stream source, CancellationToken cancellation)
    {
        var (digest, events) = (new EventDigest(), 0L);
        await foreach (var line in BackupReader.ReadAsync(source, cancellation))
        {
            if (line.Content.Event is { } stored)
            {
                digest.Add(stored);
                events++;
            }

            var (said, sum) = line.Content switch
            {
                { End: { } end } => (end.Events, end.Digest),
                { Checkpoint: { } checkpoint } => (checkpoint.Events, checkpoint.Digest),
                _ => (events, null),
            };
            if (said != events || (sum is not null && sum != digest.ToString()))
                throw new BackupRefusedException(
                    line.Number, $"it counts {said} events, but the lines before hold {events} or others.");
        }

        return events;
    }

    /// <param name="source">A backup that can be read twice: a file.</param>
    /// <param name="resume">Goes on with an import that was interrupted, so the store need not be empty.</param>
    /// <param name="cancellation">Stops between two appends; the import can be resumed.</param>
    /// <returns>How many events the store holds now.</returns>
    /// <exception cref="BackupRefusedException">The file, or what the store already holds, is not right.</exception>
    /// <exception cref="StoreNotEmptyException">There are events, and it is not said that it is resumed.</exception>
    public async Task<long> ReadAsync(Stream source, bool resume, CancellationToken cancellation)
    {
        if (!source.CanSeek) throw new ArgumentException("A backup is read twice: give a file.", nameof(source));
        var start = source.Position;
        var expected = await VerifyAsync(source, cancellation);
        if (!resume && await archive.ReadAllAsync(null, cancellation)
            .AnyAsync(page => page.Events.Count > 0, cancellation))
            throw new StoreNotEmptyException();

        source.Position = start;
        var (batch, end, done) = (new List<ReadLine>(EventsAtOnceMax), default(ReadLine), 0L);
        await foreach (var line in BackupReader.ReadAsync(source, cancellation))
        {
            end = line;
            if (line.Content.Event is not null) batch.Add(line);

            // A page of the archive never parts the events of one command, and a checkpoint closes a page.
            if (line.Content.Checkpoint is null || batch.Count < EventsAtOnceMax) continue;
            await StoreAsync(batch, cancellation);
            Progress?.Invoke(done += batch.Count);
            batch.Clear();
        }

        await StoreAsync(batch, cancellation);
        await CompareAsync(end.Number, expected, end.Content.End!.Digest, cancellation);
        return expected;
    }

    /// <summary>Streams in parallel, each in its own order: no order exists between streams.</summary>
    Task StoreAsync(List<ReadLine> lines, CancellationToken cancellation) => Parallel.ForEachAsync(
        lines.GroupBy(line => line.Content.Event!.StreamId).Select(group => group.ToList()).ToList(),
        new ParallelOptions { MaxDegreeOfParallelism = StreamsInParallelMax, CancellationToken = cancellation },
        async (stream, stop) =>
        {
            for (var from = 0; from < stream.Count;)
            {
                var command = stream[from].Content.Event!.CommandId;
                var to = from + 1;
                while (to < stream.Count && stream[to].Content.Event!.CommandId == command) to++;
                await StoreCommandAsync(stream[from..to], stop);
                from = to;
            }
        });

    async Task StoreCommandAsync(List<ReadLine> lines, CancellationToken cancellation)
    {
        var (number, events) = (lines[0].Number, lines.ConvertAll(line => line.Content.Event!));
        if (!StreamId.TryParse(events[0].StreamId, out var stream))
            throw new BackupRefusedException(number, $"\"{events[0].StreamId}\" is no name of a stream.");
        try
        {
            if (await store.AppendAsync(stream, events[0].Sequence - 1, events, null, cancellation)
                == AppendResult.Appended)
                return;
        }
        catch (Exception unfit) when (unfit is ArgumentException or AppendTooLargeException)
        {
            throw new BackupRefusedException(number, unfit.Message);
        }

        var held = await store.ReadAsync(stream, new(events[0].Sequence, events[^1].Sequence), cancellation)
            .Select(e => e.EventId).ToListAsync(cancellation);
        if (!held.SequenceEqual(events.Select(e => e.EventId)))
            throw new BackupRefusedException(
                number, $"{stream} holds something else at {events[0].Sequence}, or does not reach so far.");
    }

    /// <summary>Reads everything back: only what was read is known to be stored.</summary>
    async Task CompareAsync(long line, long events, string digest, CancellationToken cancellation)
    {
        var (held, count) = (new EventDigest(), 0L);
        await foreach (var page in archive.ReadAllAsync(null, cancellation))
        {
            foreach (var stored in page.Events) held.Add(stored);
            count += page.Events.Count;
        }

        if (count != events || held.ToString() != digest)
            throw new BackupRefusedException(
                line, $"the store now holds {count} events, not the {events} of the backup, or others.");
    }
}
