using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Functions.Projections;

/// <summary>
/// The documents this instance wrote last, so that the next event of one costs no read: the feed brings a stream's
/// events to one instance, most of them soon after each other.
/// </summary>
/// <remarks>
/// Nothing is decided by it. What is folded on a remembered document is stored under its ETag or not at all, and that
/// there is nothing to do is asked of the store. A document with a parked stream is not remembered: somebody is about
/// to change it from outside.
/// </remarks>
sealed class Remembered
{
    public const int DocumentsMax = 5_000;

    readonly ConcurrentDictionary<(string Container, ViewKey Key), (object Document, string ETag)> known = [];
    int count;

    /// <summary>Hands it out once: of two who take in events of one document, one reads.</summary>
    public bool TryTake<TView>(
        string container, ViewKey key, [NotNullWhen(true)] out ViewDocument<TView>? document,
        [NotNullWhen(true)] out string? etag)
        where TView : class
    {
        (document, etag) = known.TryRemove((container, key), out var found)
            ? ((ViewDocument<TView>)found.Document, found.ETag)
            : default;
        if (document is null || etag is null) return false;
        Interlocked.Decrement(ref count);
        return true;
    }

    public void Keep<TView>(string container, ViewKey key, ViewDocument<TView> document, string? etag)
        where TView : class
    {
        if (etag is null || document.Parked.Count > 0) return;

        // Only ever a saving of a point read, so forgetting everything at the bound is good enough. Counted here,
        // because the dictionary would stop everybody to count.
        if (Interlocked.Increment(ref count) > DocumentsMax)
        {
            known.Clear();
            Volatile.Write(ref count, 1);
        }

        known[(container, key)] = (document, etag);
    }
}
