using System.Text.Json;
using Microsoft.Azure.Cosmos;

namespace Functions.Projections;

/// <summary>Compares two generations of a view document by document, whatever it shows, and deletes one.</summary>
/// <remarks>
/// While events come in, one generation is a moment ahead of the other. So a pair that differs is looked at again
/// before it counts: for good it differs only when both have seen the same and show something else.
/// </remarks>
public sealed class Verification(Database database, TimeProvider clock)
{
    public const int SamplesMax = 20;
    public const int LooksMax = 6;

    const int PageItems = 500;
    const int InParallelMax = 16;

    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    sealed record Stored(string Id, string Pk)
    {
        public IReadOnlyDictionary<string, long> Seen { get; init; } = new Dictionary<string, long>();

        public IReadOnlyList<string> Parked { get; init; } = [];

        public JsonElement View { get; init; }
    }

    public async Task<Comparison> CompareAsync(View live, View built, CancellationToken cancellation)
    {
        var tally = Comparison.None(clock.GetUtcNow());
        await foreach (var page in PagesAsync(live, "SELECT * FROM c WHERE c.generation = @generation", cancellation))
        {
            foreach (var difference in await InParallelAsync(
                page, one => DifferenceAsync(live, built, live.Bare(one.Id), one.Pk, one, cancellation), cancellation))
                tally = Count(tally, difference);
        }

        // What only the new one has shows when it is gone through as well; what both have was counted above.
        await foreach (var page in PagesAsync(
            built, "SELECT c.id, c.pk FROM c WHERE c.generation = @generation", cancellation))
        {
            foreach (var extra in await InParallelAsync(
                page, one => ExtraAsync(live, built.Bare(one.Id), one.Pk, cancellation), cancellation))
                if (extra is not null) tally = Count(tally, extra);
        }

        return tally;
    }

    public async Task DeleteAsync(View dead, CancellationToken cancellation)
    {
        // Deleting moves what is paged through, so one pass may miss some.
        var container = database.GetContainer(dead.Container);
        for (var deleted = 1; deleted > 0;)
        {
            deleted = 0;
            await foreach (var page in PagesAsync(
                dead, "SELECT c.id, c.pk FROM c WHERE c.generation = @generation", cancellation))
            {
                deleted += page.Count;
                await InParallelAsync(page, one => RemoveAsync(container, one, cancellation), cancellation);
            }
        }
    }

    static async Task<Stored> RemoveAsync(Container container, Stored one, CancellationToken cancellation)
    {
        await container.RemoveAsync(one.Id, one.Pk, etag: null, cancellation);
        return one;
    }

    /// <summary>Null when both show the same.</summary>
    async Task<Difference?> DifferenceAsync(
        View live, View built, string bare, string partition, Stored? known, CancellationToken cancellation)
    {
        for (var look = 1; ; look++)
        {
            var left = known ?? await FindAsync(live, bare, partition, cancellation);
            var right = await FindAsync(built, bare, partition, cancellation);
            var what = left is null ? null : WhatDiffers(left, right);
            if (what is null || look == LooksMax) return what is null ? null : new(bare, partition, what);
            known = null;
            await Task.Delay(Pause, clock, cancellation);
        }
    }

    async Task<Difference?> ExtraAsync(View live, string bare, string partition, CancellationToken cancellation)
    {
        for (var look = 1; ; look++)
        {
            if (await FindAsync(live, bare, partition, cancellation) is not null) return null;
            if (look == LooksMax) return new(bare, partition, Extra);
            await Task.Delay(Pause, clock, cancellation);
        }
    }

    const string Missing = "missing";
    const string Extra = "extra";
    const string Behind = "behind: ";

    static string? WhatDiffers(Stored left, Stored? right)
    {
        if (right is null) return Missing;
        var ahead = left.Seen.Keys.Union(right.Seen.Keys)
            .Where(s => left.Seen.GetValueOrDefault(s) != right.Seen.GetValueOrDefault(s)).ToList();
        if (ahead.Count > 0 || left.Parked.Count != right.Parked.Count)
            return $"{Behind}{string.Join(", ", ahead.Concat(left.Parked).Concat(right.Parked).Distinct())}";
        if (JsonElement.DeepEquals(left.View, right.View)) return null;
        return left.View.ValueKind != JsonValueKind.Object || right.View.ValueKind != JsonValueKind.Object
            ? "view"
            : string.Join(", ", left.View.EnumerateObject().Concat(right.View.EnumerateObject())
                .Select(member => member.Name).Distinct().Where(name => !Same(left.View, right.View, name)));
    }

    static bool Same(JsonElement left, JsonElement right, string name) =>
        left.TryGetProperty(name, out var one) == right.TryGetProperty(name, out var other)
            && (one.ValueKind == JsonValueKind.Undefined || JsonElement.DeepEquals(one, other));

    static Comparison Count(Comparison so, Difference? difference)
    {
        if (difference is null) return so with { Equal = so.Equal + 1 };
        so = so with { Samples = so.Samples.Count < SamplesMax ? [.. so.Samples, difference] : so.Samples };
        return difference.What switch
        {
            Missing => so with { Missing = so.Missing + 1 },
            Extra => so with { Extra = so.Extra + 1 },
            var what when what.StartsWith(Behind, StringComparison.Ordinal) => so with { Behind = so.Behind + 1 },
            _ => so with { Different = so.Different + 1 },
        };
    }

    async Task<Stored?> FindAsync(View view, string bare, string partition, CancellationToken cancellation)
    {
        var key = view.Stored(new(bare, partition));
        return (await database.GetContainer(view.Container).FindAsync<Stored>(
            key.Id, key.Partition, cancellation)).Found;
    }

    IAsyncEnumerable<IReadOnlyList<Stored>> PagesAsync(View view, string query, CancellationToken cancellation) =>
        database.GetContainer(view.Container).PagesAsync<Stored>(
            new QueryDefinition(query).WithParameter("@generation", view.Generation), partition: null, PageItems,
            cancellation);

    static async Task<T[]> InParallelAsync<T>(
        IReadOnlyList<Stored> page, Func<Stored, Task<T>> each, CancellationToken cancellation)
    {
        var results = new T[page.Count];
        await Parallel.ForAsync(
            0,
            page.Count,
            new ParallelOptions { MaxDegreeOfParallelism = InParallelMax, CancellationToken = cancellation },
            async (i, _) => results[i] = await each(page[i]));
        return results;
    }
}
