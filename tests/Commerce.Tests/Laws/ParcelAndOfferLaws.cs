using Commerce.Catalog;
using Commerce.Shipping;
using FsCheck;
using FsCheck.Fluent;
using static Commerce.Shipping.ShipmentStatus;

namespace Commerce.Tests.Laws;

public sealed class ParcelAndOfferLaws
{
    static readonly Gen<ShipmentCommand> Parcels = Gen.OneOf<ShipmentCommand>(
        Gen.Elements("DE", "KR", "AQ").Zip(Gen.Elements("T1", "T2", ""), (country, tracking) =>
            (ShipmentCommand)new ShipmentCommand.Book(Samples.Home with { Country = country }, tracking)),
        Gen.Constant<ShipmentCommand>(new ShipmentCommand.Cancel()),
        Gen.Constant<ShipmentCommand>(new ShipmentCommand.Dispatch()),
        Gen.Constant<ShipmentCommand>(new ShipmentCommand.Deliver()));

    static readonly HashSet<(ShipmentStatus From, ShipmentStatus To)> Ways =
    [
        (None, Booked), (None, Cancelled), (Booked, Cancelled), (Booked, Dispatched), (Dispatched, Delivered),
    ];

    static readonly Gen<ProductCommand> Offers =
        Gen.Elements("Mug", "Pot", "").Zip(Gen.Elements("kitchen", "gifts")).Zip(Gen.Choose(0, 2), (text, price) =>
            (ProductCommand)new ProductCommand.Put(text.Item1, text.Item2, Samples.Euros(price)));

    [Fact]
    public void A_parcel_only_goes_the_ways_there_are() => Law.Hold(Shipment.Decider, Parcels, (before, _, after) =>
        Assert.True(before.Status == after.Status || Ways.Contains((before.Status, after.Status))));

    [Fact]
    public void A_parcel_shows_the_same_progress() => Law.HoldInTheEnd(Shipment.Decider, Parcels, (facts, shipment) =>
        Assert.Equal(shipment.Status, Scenario.Project<DeliveryProgress, ShipmentEvent>(
            Shipment.Stream(ShipmentId.Of(Samples.TheOrder)), DeliveryProgress.Project, facts)?.Status ?? None));

    [Fact]
    public void A_listing_shows_what_was_put_last() => Law.HoldInTheEnd(Product.Decider, Offers, (facts, product) =>
    {
        var listing = Scenario.Project<ProductListing, ProductEvent>(
            Product.Stream(Samples.Mug), ProductListing.Project, facts);
        Assert.Equal(
            (product.Offer?.Name, product.Offer?.Category, product.Offer?.Price),
            (listing?.Name, listing?.Category, listing?.Price));
    });
}
