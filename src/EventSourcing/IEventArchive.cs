namespace EventSourcing;

/// <summary>Some events of many streams and where to go on behind them.</summary>
public sealed record ArchivePage(IReadOnlyList<StoredEvent> Events, string Continuation);

/// <summary>
/// Questions across all streams, for operators and auditors: nothing is ever decided on them, because no order exists
/// between streams.
/// </summary>
public interface IEventArchive
{
    /// <summary>
    /// Every event ever stored, those of one stream in order and those of one command on one page, up to the moment
    /// nothing more is there. Begins behind a page read before when its continuation is given.
    /// </summary>
    IAsyncEnumerable<ArchivePage> ReadAllAsync(string? continuation, CancellationToken cancellation);

    /// <summary>The events that one request or saga led to, oldest first, at most so many.</summary>
    Task<IReadOnlyList<StoredEvent>> CorrelatedAsync(string correlationId, int limit, CancellationToken cancellation);
}
