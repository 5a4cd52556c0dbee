using Commerce.Catalog;
using EventSourcing;
using static Commerce.Catalog.ProductCommand;
using static Commerce.Catalog.ProductEvent;
using static Commerce.Tests.Samples;

namespace Commerce.Tests.Catalog;

public sealed class OfferingProducts
{
    static readonly Registered Registered = new("Blue Mug", "kitchen", Euros(9_50));

    [Fact]
    public void A_new_product_is_registered() => Product.Decider
        .Given()
        .When(new Put("Blue Mug", "kitchen", Euros(9_50)))
        .Then(Registered);

    [Fact]
    public void Putting_the_same_again_changes_nothing() => Product.Decider
        .Given(Registered)
        .When(new Put("Blue Mug", "kitchen", Euros(9_50)))
        .Then();

    [Fact]
    public void Each_change_is_a_fact_of_its_own() => Product.Decider
        .Given(Registered)
        .When(new Put("Azure Mug", "gifts", Won(12_000)))
        .Then(new Renamed("Azure Mug"), new Recategorized("gifts"), new Repriced(Won(12_000)));

    [Fact]
    public void What_stays_is_not_told_again() => Product.Decider
        .Given(Registered, new Renamed("Azure Mug"))
        .When(new Put("Azure Mug", "kitchen", Euros(8_50)))
        .Then(new Repriced(Euros(8_50)));

    [Theory]
    [InlineData("", "kitchen", 1, "invalid-product")]
    [InlineData("Mug\t", "kitchen", 1, "invalid-product")]
    [InlineData("Mug", "Kitchen!", 1, "invalid-product")]
    [InlineData("Mug", "kitchen", 0, "invalid-amount")]
    [InlineData("Mug", "kitchen", long.MaxValue, "invalid-amount")]
    public void A_malformed_product_is_refused(string name, string category, long cents, string code) => Product.Decider
        .Given()
        .When(new Put(name, category, Euros(cents)))
        .ThenRefused(code, RefusalKind.Invalid);

    [Fact]
    public void A_listing_is_found_by_its_words_as_they_change() => Assert.Equivalent(
        new ProductListing(Mug, "Azure-Mug (new)", "gifts", Euros(8_50), ["azure", "mug", "new", "gifts"]),
        Listing(Registered, new Renamed("Azure-Mug (new)"), new Recategorized("gifts"), new Repriced(Euros(8_50))),
        strict: true);

    [Theory]
    [InlineData("Blue mug, BLUE cup", "blue mug cup")]
    [InlineData("파란 머그컵 300ml", "파란 머그컵 300ml")]
    [InlineData("  Ärmel--Öl ", "ärmel öl")]
    [InlineData("!?", "")]
    [InlineData("", "")]
    public void A_text_is_split_into_words(string text, string words) =>
        Assert.Equal(words, string.Join(' ', ProductListing.WordsOf(text)));

    static ProductListing? Listing(params ProductEvent[] events) =>
        Scenario.Project<ProductListing, ProductEvent>(Product.Stream(Mug), ProductListing.Project, events);
}
