using Commerce.Shipping;
using EventSourcing;
using static Commerce.Shipping.ShipmentCommand;
using static Commerce.Shipping.ShipmentEvent;
using static Commerce.Tests.Samples;

namespace Commerce.Tests.Shipping;

public sealed class MovingParcels
{
    static readonly Booked Booked = new(Home, "T1");

    [Fact]
    public void A_parcel_is_booked() => Shipment.Decider
        .Given()
        .When(new Book(Home, "T1"))
        .Then(Booked);

    [Fact]
    public void A_booking_told_again_is_already_done() => Shipment.Decider
        .Given(Booked, new Dispatched())
        .When(new Book(Home with { }, "T1"))
        .Then();

    [Fact]
    public void A_booking_for_another_address_is_refused() => Shipment.Decider
        .Given(Booked)
        .When(new Book(Home with { City = "Seoul" }, "T1"))
        .ThenRefused(ShipmentRefusal.OtherContent);

    [Fact]
    public void A_booking_under_another_number_is_refused() => Shipment.Decider
        .Given(Booked)
        .When(new Book(Home, "T2"))
        .ThenRefused(ShipmentRefusal.OtherContent);

    [Fact]
    public void No_parcel_goes_where_nobody_delivers() => Shipment.Decider
        .Given()
        .When(new Book(Home with { Country = "AQ" }, "T1"))
        .ThenRefused(ShipmentRefusal.NotServed("AQ"));

    public static TheoryData<string, Book> Malformed => new()
    {
        { "invalid-shipment", new(null!, "T1") },
        { "invalid-address", new(Home with { Street = "" }, "T1") },
        { "invalid-shipment", new(Home, "") },
        { "invalid-shipment", new(Home, Long(Shipment.TrackingLengthMax + 1)) },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void A_malformed_booking_is_refused(string code, Book booking) => Shipment.Decider
        .Given()
        .When(booking)
        .ThenRefused(code, RefusalKind.Invalid);

    [Fact]
    public void A_booking_is_cancelled() => Shipment.Decider
        .Given(Booked)
        .When(new Cancel())
        .Then(new Cancelled());

    [Fact]
    public void A_cancellation_that_overtakes_the_booking_closes_the_shipment() => Shipment.Decider
        .Given()
        .When(new Cancel())
        .Then(new Cancelled());

    [Fact]
    public void A_booking_that_arrives_after_its_cancellation_is_refused() => Shipment.Decider
        .Given(new Cancelled())
        .When(new Book(Home, "T1"))
        .ThenRefused(ShipmentRefusal.Cancelled);

    [Fact]
    public void A_refusal_is_a_fact_that_closes_the_shipment()
    {
        Refused refused = new("address-not-served", "No parcels go to AQ.");
        Shipment.Decider.Given().When(new RecordRefused(refused.Code, refused.Detail)).Then(refused);
        Shipment.Decider.Given(refused).When(new Book(Home, "T1")).ThenRefused(ShipmentRefusal.Refused);
        Shipment.Decider.Given(refused).When(new Cancel("order-overdue")).Then();
        Shipment.Decider.Given(refused).When(new Dispatch()).ThenRefused(ShipmentRefusal.Refused);
        Shipment.Decider.Given(refused).When(new Deliver()).ThenRefused(ShipmentRefusal.Refused);
    }

    [Fact]
    public void A_refusal_that_comes_after_the_cancellation_changes_nothing() => Shipment.Decider
        .Given(new Cancelled("order-overdue"))
        .When(new RecordRefused("address-not-served", "No."))
        .Then();

    [Fact]
    public void A_booked_parcel_is_not_refused_any_more() => Shipment.Decider
        .Given(Booked)
        .When(new RecordRefused("address-not-served", "No."))
        .ThenRefused(ShipmentRefusal.Booked);

    [Fact]
    public void A_refusals_code_is_for_machines() => Shipment.Decider
        .Given()
        .When(new RecordRefused("Not a code", "No."))
        .ThenRefused("invalid-shipment", RefusalKind.Invalid);

    [Fact]
    public void A_parcel_on_its_way_is_not_cancelled() => Shipment.Decider
        .Given(Booked, new Dispatched())
        .When(new Cancel())
        .ThenRefused(ShipmentRefusal.Dispatched);

    [Fact]
    public void A_booked_parcel_is_dispatched() => Shipment.Decider
        .Given(Booked)
        .When(new Dispatch())
        .Then(new Dispatched());

    [Fact]
    public void A_dispatched_parcel_is_delivered() => Shipment.Decider
        .Given(Booked, new Dispatched())
        .When(new Deliver())
        .Then(new Delivered());

    [Fact]
    public void Dispatching_is_already_done_once_delivered() => Shipment.Decider
        .Given(Booked, new Dispatched(), new Delivered())
        .When(new Dispatch())
        .Then();

    [Fact]
    public void A_parcel_is_not_delivered_before_it_is_on_its_way() => Shipment.Decider
        .Given(Booked)
        .When(new Deliver())
        .ThenRefused(ShipmentRefusal.NotDispatched);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_cancelled_parcel_goes_nowhere(bool dispatch) => Shipment.Decider
        .Given(Booked, new Cancelled())
        .When(dispatch ? new Dispatch() : new Deliver())
        .ThenRefused(ShipmentRefusal.Cancelled);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_unknown_parcel_goes_nowhere(bool dispatch) => Shipment.Decider
        .Given()
        .When(dispatch ? new Dispatch() : new Deliver())
        .ThenRefused(ShipmentRefusal.Unknown);

    [Fact]
    public void The_progress_tells_where_the_parcel_is_and_since_when() => Assert.Equal(
        new DeliveryProgress(ShipmentStatus.Delivered, "T1")
        {
            BookedAt = Noon,
            DispatchedAt = Noon.AddHours(1),
            DeliveredAt = Noon.AddHours(2),
        },
        Progress(Booked, new Dispatched(), new Delivered()));

    [Fact]
    public void The_progress_of_a_shipment_never_booked_says_cancelled() => Assert.Equal(
        new DeliveryProgress(ShipmentStatus.Cancelled, null),
        Progress(new Cancelled()));

    static DeliveryProgress? Progress(params ShipmentEvent[] events) =>
        Scenario.Project<DeliveryProgress, ShipmentEvent>(
            Shipment.Stream(ShipmentId.Of(TheOrder)), DeliveryProgress.Project, events);
}
