using System.Buffers;
using System.Globalization;
using System.Text;
using Runtime.Cosmos.Charges;
using Runtime.Cosmos.Http;
using Runtime.Cosmos.Query;
using Runtime.Cosmos.Query.Execution;
using Runtime.Cosmos.Storage;

namespace Runtime.Cosmos.ChangeFeed;

/// <summary>The change feed: items in the order they were last written, from where a reader left off.</summary>
/// <remarks>
/// A place in the feed is the number of the last transaction read. A page never ends within a transaction, so a batch is
/// seen whole. The place moves on past items that are not for this reader, or it would look at them again for ever.
/// </remarks>
sealed class FeedRequests(Store store)
{
    public Reply Read(ServerRequest request, Route route)
    {
        var container = ContainerRequests.Find(store.Catalog, route);
        var mode = request.Header(Names.AIm);
        if (mode is not ("Incremental Feed" or "Incremental feed"))
        {
            throw Refused.Unsupported($"The change feed mode '{mode}'");
        }

        var state = container.Visible;
        var target = Target.Of(request, container);
        return request.Header(Names.IfNoneMatch) switch
        {
            null when request.Header(Names.IfModifiedSince) is { } since => From(container, state, target, request, 0, Since(since)),
            null => From(container, state, target, request, 0, null),
            "*" => NotModified(state, state.Lsn),
            var etag => From(container, state, target, request, Place(etag), null),
        };
    }

    Reply From(
        Container container, ContainerState state, Target target, ServerRequest request, long after, long? since)
    {
        var (now, rowsMax) = (store.Now, QueryRequests.PageItems(request));
        var output = new ArrayBufferWriter<byte>();
        output.Write(Encoding.UTF8.GetBytes($"{{\"_rid\":\"{container.Rid}\",\"Documents\":["));
        var (rows, place, charge) = (0, after, 0.0);
        foreach (var item in state.ByLsn.From(new AfterLsnProbe(after)))
        {
            if (item.Lsn != place && (rows >= rowsMax || output.WrittenCount >= CosmosLimits.PageBytesMax))
            {
                break;
            }

            place = item.Lsn;
            // Both sides are whole seconds: an item of that very second may have come after the instant asked for,
            // and showing one too many is harmless where missing one is not.
            if (!target.Holds(item, now) || item.Timestamp < since)
            {
                continue;
            }

            output.Write(rows++ > 0 ? ","u8 : default);
            output.Write(item.Body.AsSpan(0, item.Body.Length - 1));
            output.Write(Encoding.UTF8.GetBytes($",\"_lsn\":{item.Lsn.ToString(CultureInfo.InvariantCulture)}}}"));
            charge += RequestUnits.Read(item.Body.Length);
        }

        if (rows == 0)
        {
            return NotModified(state, state.Lsn);
        }

        output.Write(Encoding.UTF8.GetBytes($"],\"_count\":{rows.ToString(CultureInfo.InvariantCulture)}}}"));
        return Placed(new Reply(200, output.WrittenMemory) { Charge = Math.Round(charge, 2) }, state, place, rows);
    }

    static Reply NotModified(ContainerState state, long place) =>
        Placed(new Reply(304) { Charge = RequestUnits.Miss }, state, place, 0);

    static Reply Placed(Reply reply, ContainerState state, long place, int rows) => reply
        .With(Names.ETag, string.Create(CultureInfo.InvariantCulture, $"\"{place}\""))
        .With(Names.ItemCount, rows.ToString(CultureInfo.InvariantCulture))
        .With(Names.SessionToken, Session.Token(state.Lsn))
        .With(Names.Lsn, state.Lsn.ToString(CultureInfo.InvariantCulture));

    static long Place(string etag) =>
        long.TryParse(etag.Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var place)
            ? place
            : throw Refused.BadRequest("The change feed continuation is not one of this server's.");

    static long Since(string header) =>
        DateTimeOffset.TryParse(header, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var since)
            ? since.ToUnixTimeSeconds()
            : throw Refused.BadRequest("If-Modified-Since is not a valid date.");
}
