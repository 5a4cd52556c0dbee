using System.Collections.Immutable;
using System.Diagnostics;
using EventSourcing;
using static Commerce.Catalog.ProductEvent;

namespace Commerce.Catalog;

/// <summary>What the shop shows of a product, and the words it is found by: lower-case, each once.</summary>
public sealed record ProductListing(
    ProductId Product, string Name, string Category, Money Price, ImmutableArray<string> Words)
{
    public static ProductListing? Project(ProductListing? view, Recorded<ProductEvent> recorded) =>
        (recorded.Event, view) switch
        {
            (Registered e, _) => new(
                Catalog.Product.IdOf(recorded.Stream), e.Name, e.Category, e.Price, WordsOf(e.Name, e.Category)),
            (Renamed e, { } listing) => listing with { Name = e.Name, Words = WordsOf(e.Name, listing.Category) },
            (Recategorized e, { } listing) => listing with
            {
                Category = e.Category,
                Words = WordsOf(listing.Name, e.Category),
            },
            (Repriced e, { } listing) => listing with { Price = e.Price },
            _ => throw new UnreachableException(),
        };

    /// <summary>Splits a text into words, lower-case, each once: a search splits its question the same way.</summary>
    public static ImmutableArray<string> WordsOf(params ReadOnlySpan<string> texts)
    {
        var words = ImmutableArray.CreateBuilder<string>();
        foreach (var text in texts)
        {
            var start = 0;
            for (var end = 0; end <= text.Length; end++)
            {
                if (end < text.Length && char.IsLetterOrDigit(text[end])) continue;
                var word = text[start..end].ToLowerInvariant();
                if (word.Length > 0 && !words.Contains(word)) words.Add(word);
                start = end + 1;
            }
        }

        return words.ToImmutable();
    }
}
