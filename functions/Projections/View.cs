using EventSourcing;

namespace Functions.Projections;

/// <summary>Which document of a view's container an event belongs to.</summary>
public readonly record struct ViewKey(string Id, string Partition)
{
    /// <summary>A document alone in its partition: one point read finds it.</summary>
    public static ViewKey Of(string id) => new(id, id);
}

/// <summary>
/// How a view takes in one kind of stream. When the document's key is not in the stream's name it is taken from the
/// stream's first event, which never changes.
/// </summary>
public sealed record Feed<TView>(
    string Category,
    Func<StreamId, ViewKey>? KeyOfName,
    Func<StoredEvent, ViewKey>? KeyOfFirst,
    Func<TView?, StoredEvent, TView?> Fold)
    where TView : class;

/// <summary>
/// What can be done with every view alike, whatever it shows. Rebuilt, it has several generations side by side in its
/// container: each keeps documents, parked events and a bookmark of its own, so nothing of one touches another.
/// </summary>
public abstract record View(string Name, string Container)
{
    /// <summary>0 is what the view was born with; every rebuild makes the next.</summary>
    public int Generation { get; init; }

    /// <summary>The name of this generation, under which its parked events and its bookmark are kept.</summary>
    public string FullName => Generation == 0 ? Name : $"{Name}{Separator}{Generation}";

    /// <summary>The view without its generation: what is decided about an event holds for every generation.</summary>
    public static string NameOf(string fullName) => fullName.Split(Separator)[0];

    /// <summary>
    /// Where this generation keeps a document. In front of the id, so that every generation sorts alike; the partition
    /// is the same, so that what is one transaction in one generation is one in all.
    /// </summary>
    public ViewKey Stored(ViewKey key) => Generation == 0 ? key : key with { Id = $"{Generation}{Separator}{key.Id}" };

    /// <summary>The document's id without its generation.</summary>
    public string Bare(string id) => Generation == 0 ? id : id[(id.IndexOf(Separator, StringComparison.Ordinal) + 1)..];

    const char Separator = '~';

    /// <summary>Whether any event of such a stream ever concerns the view.</summary>
    public abstract bool Reads(StreamId stream);

    public virtual bool TakesIn(StoredEvent stored) =>
        StreamId.TryParse(stored.StreamId, out var stream) && Reads(stream);

    /// <summary>Brings the view up to these events; paused or not is the caller's question.</summary>
    public abstract Task ProjectAsync(
        ProjectionRunner runner, IReadOnlyList<StoredEvent> events, CancellationToken cancellation);

    /// <summary>Those of the events that the view has not seen and does not know to be parked.</summary>
    public abstract Task<IReadOnlyList<StoredEvent>> UnseenAsync(
        ProjectionRunner runner, IReadOnlyList<StoredEvent> events, CancellationToken cancellation);
}

/// <summary>A view: its name, the container that holds it and the streams that feed it. All folds are pure.</summary>
public sealed record View<TView>(string Name, string Container, params IReadOnlyList<Feed<TView>> Feeds)
    : View(Name, Container)
    where TView : class
{
    public override bool Reads(StreamId stream) => FeedOf(stream) is not null;

    public Feed<TView>? FeedOf(StreamId stream) => Feeds.FirstOrDefault(feed => feed.Category == stream.Category);

    public override Task ProjectAsync(
        ProjectionRunner runner, IReadOnlyList<StoredEvent> events, CancellationToken cancellation) =>
        runner.ProjectAsync(this, events, cancellation);

    public override Task<IReadOnlyList<StoredEvent>> UnseenAsync(
        ProjectionRunner runner, IReadOnlyList<StoredEvent> events, CancellationToken cancellation) =>
        runner.UnseenAsync(this, events, cancellation);
}

/// <summary>Makes feeds out of a context's codec and its pure fold.</summary>
public static class Feed
{
    public static Feed<TView> ByName<TView, TEvent>(
        string category,
        EventCodec<TEvent> codec,
        Func<TView?, Recorded<TEvent>, TView?> project,
        Func<StreamId, ViewKey> key)
        where TView : class
        where TEvent : notnull =>
        new(category, key, null, (view, stored) => project(view, codec.Decode(stored)));

    public static Feed<TView> ByFirst<TView, TEvent>(
        string category,
        EventCodec<TEvent> codec,
        Func<TView?, Recorded<TEvent>, TView?> project,
        Func<TEvent, StreamId, ViewKey> key)
        where TView : class
        where TEvent : notnull =>
        new(
            category,
            null,
            first => codec.Decode(first) is var recorded ? key(recorded.Event, recorded.Stream) : default,
            (view, stored) => project(view, codec.Decode(stored)));
}

/// <summary>
/// A view as stored: what it shows, and for each stream the sequence it has seen. Those numbers are what makes a
/// delivery twice free and a delivery lost visible.
/// </summary>
public sealed record ViewDocument<TView>
    where TView : class
{
    public required string Id { get; init; }

    public required string Pk { get; init; }

    /// <summary>Which generation of the view this document belongs to: what lists ask for.</summary>
    public int Generation { get; init; }

    public IReadOnlyDictionary<string, long> Seen { get; init; } = new Dictionary<string, long>();

    /// <summary>
    /// Streams that stand still here because one of their events can not be folded; see the parked container.
    /// </summary>
    public IReadOnlyList<string> Parked { get; init; } = [];

    public TView? View { get; init; }
}
