using System.Buffers;
using System.Globalization;
using System.Text;
using Runtime.Cosmos.Charges;
using Runtime.Cosmos.Http;
using Runtime.Cosmos.Query;
using Runtime.Cosmos.Query.Execution;
using Runtime.Cosmos.Storage;

namespace Runtime.Cosmos.ChangeFeed;

/// <summary>
/// The change feed: items in the order they were last written, or every change, from where a reader left off.
/// </summary>
/// <remarks>
/// A place in the feed is the number of the last transaction read. A page never ends within a transaction, so a batch
/// is seen whole. The place moves on past what is not for this reader, or it would be looked at again for ever.
/// </remarks>
sealed class FeedRequests(Store store)
{
    readonly record struct Change(long Lsn, byte[] Text, bool IsShown);

    public Reply Read(ServerRequest request, Route route)
    {
        var container = ContainerRequests.Find(store.Catalog, route);
        var (state, target) = (container.Visible, Target.Of(request, container));
        var after = request.Header(Names.IfNoneMatch) switch
        {
            null => 0,
            "*" => state.Lsn,
            var etag => Place(etag),
        };
        return request.Header(Names.AIm)?.ToUpperInvariant() switch
        {
            "INCREMENTAL FEED" => Page(
                container, state, request, after, isLatest: true, Latest(state, target, request, after)),
            "FULL-FIDELITY FEED" => Page(
                container, state, request, after, isLatest: false, All(container, state, target, request, after)),
            var mode => throw Refused.Unsupported($"The change feed mode '{mode}'"),
        };
    }

    IEnumerable<Change> Latest(ContainerState state, Target target, ServerRequest request, long after)
    {
        // A time counts only where no place is given yet. Both sides are whole seconds: an item of that very second may
        // have come after the instant asked for, and showing one too many is harmless where missing one is not.
        var since = request.Header(Names.IfNoneMatch) is null && request.Header(Names.IfModifiedSince) is { } header
            ? Since(header)
            : 0;
        var now = store.Now;
        return state.ByLsn.From(new AfterLsnProbe(after)).Select(item =>
            new Change(item.Lsn, item.Body, item.Timestamp >= since && target.Holds(item, now)));
    }

    static IEnumerable<Change> All(
        Container container, ContainerState state, Target target, ServerRequest request, long after)
    {
        if (container.Definition.HistoryRetention is null)
        {
            throw Refused.BadRequest(
                "The container keeps no history: its changeFeedPolicy needs a retentionDuration for this feed mode.");
        }

        // As in the service: what was before the history began cannot be told.
        return request.Header(Names.IfNoneMatch) is null
            ? throw Refused.BadRequest("The feed of all versions and deletes starts now or at a continuation.")
            : state.History.From(new AfterChangeProbe(after)).Select(entry =>
                new Change(entry.Lsn, entry.Text, target.Holds(entry.Partition)));
    }

    static Reply Page(
        Container container, ContainerState state, ServerRequest request, long after, bool isLatest,
        IEnumerable<Change> changes)
    {
        var rowsMax = QueryRequests.PageItems(request);
        var output = new ArrayBufferWriter<byte>();
        output.Write(Encoding.UTF8.GetBytes($"{{\"_rid\":\"{container.Rid}\",\"Documents\":["));
        var (rows, place, charge) = (0, after, 0.0);
        foreach (var change in changes)
        {
            if (change.Lsn != place && (rows >= rowsMax || output.WrittenCount >= CosmosLimits.PageBytesMax))
            {
                return Ended();
            }

            place = change.Lsn;
            if (!change.IsShown)
            {
                continue;
            }

            output.Write(rows++ > 0 ? ","u8 : default);
            Write(output, change, isLatest);
            charge += RequestUnits.Read(change.Text.Length);
        }

        place = Math.Max(after, state.Lsn);
        return Ended();

        Reply Ended()
        {
            output.Write(Encoding.UTF8.GetBytes($"],\"_count\":{rows.ToString(CultureInfo.InvariantCulture)}}}"));
            var reply = rows == 0
                ? new Reply(304) { Charge = RequestUnits.Miss }
                : new Reply(200, output.WrittenMemory) { Charge = Math.Round(charge, 2) };
            return reply
                .With(Names.ETag, string.Create(CultureInfo.InvariantCulture, $"\"{place}\""))
                .With(Names.ItemCount, rows.ToString(CultureInfo.InvariantCulture))
                .With(Names.SessionToken, Session.Token(state.Lsn))
                .With(Names.Lsn, state.Lsn.ToString(CultureInfo.InvariantCulture));
        }
    }

    static void Write(ArrayBufferWriter<byte> output, Change change, bool isLatest)
    {
        if (!isLatest)
        {
            output.Write(change.Text);
            return;
        }

        output.Write(change.Text.AsSpan(0, change.Text.Length - 1));
        output.Write(Encoding.UTF8.GetBytes($",\"_lsn\":{change.Lsn.ToString(CultureInfo.InvariantCulture)}}}"));
    }

    static long Place(string etag) =>
        long.TryParse(etag.Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var place)
            ? place
            : throw Refused.BadRequest("The change feed continuation is not one of this server's.");

    static long Since(string header) =>
        DateTimeOffset.TryParse(header, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var since)
            ? since.ToUnixTimeSeconds()
            : throw Refused.BadRequest("If-Modified-Since is not a valid date.");
}
