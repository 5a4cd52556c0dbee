using System.Text.Json;
using EventSourcing;

namespace Functions.Projections;

/// <summary>
/// A view that adds up many streams: every stream has a share in some groups, every group a total. Groups are taken
/// from the stream's first event and never change.
/// </summary>
/// <remarks>
/// A group is a partition. It holds the total and, for each stream, a marker: the stream's share and how far it has
/// been seen. Marker and total change in one transaction, each from the version it was known in, so a stream counts
/// exactly once however often the feed delivers it. A total is the sum of what its shares come to and nothing else: an
/// event that leaves that as it is, such as a parcel on its way, is written to the marker alone.
/// </remarks>
public sealed record Tally<TShare, TTotal>(
    string Name,
    string Container,
    string Category,
    Func<StoredEvent, IReadOnlyList<string>> GroupsOfFirst,
    Func<string, TShare?, StoredEvent, TShare?> Fold,
    Func<TTotal?, TShare?, TShare?, TTotal> Move)
    : View(Name, Container)
    where TShare : class
    where TTotal : class
{
    public const string TotalId = "total";

    public static ViewKey Total(string group) => new(TotalId, group);

    public static ViewKey Marker(string group, StreamId stream) => new(stream.ToString(), group);

    public override bool Reads(StreamId stream) => stream.Category == Category;

    public override Task ProjectAsync(
        ProjectionRunner runner, IReadOnlyList<StoredEvent> events, CancellationToken cancellation) =>
        runner.TallyAsync(this, events, cancellation);

    public override Task<IReadOnlyList<StoredEvent>> UnseenAsync(
        ProjectionRunner runner, IReadOnlyList<StoredEvent> events, CancellationToken cancellation) =>
        runner.UntalliedAsync(this, events, cancellation);

    /// <summary>Whether the total becomes another by the share's change, whatever it is.</summary>
    internal bool Moves(TShare? before, TShare? after) =>
        !JsonSerializer.SerializeToUtf8Bytes(Move(null, null, before), StoredJson.Options).AsSpan().SequenceEqual(
            JsonSerializer.SerializeToUtf8Bytes(Move(null, null, after), StoredJson.Options));

    internal ViewKey StoredTotal(string group) => Stored(Total(group));

    internal ViewKey StoredMarker(string group, StreamId stream) => Stored(Marker(group, stream));

    internal Feed<TShare> FeedOf(string group) =>
        new(Category, stream => Marker(group, stream), null, (share, stored) => Fold(group, share, stored));
}
