using Commerce.Shipping;
using static Commerce.Shipping.CarrierAnswer;
using static Commerce.Tests.Samples;

namespace Commerce.Tests.Shipping;

public sealed class SimulatedParcels
{
    static readonly ShipmentId Parcel = ShipmentId.Of(TheOrder);
    static readonly CarrierLedger Untouched = new(0, 0, Closed: false);

    readonly SimulatedCarrier carrier = new();

    [Fact]
    public async Task A_parcel_is_booked_once_however_often_it_is_asked()
    {
        var first = await Book(Home);
        Assert.Equal(first, await Book(Home));
        Assert.Equal(new(1, 0, Closed: false), carrier.Ledger(Parcel));

        // What follows from the shipment's id is the same after a restart.
        Assert.Equal(first, await new SimulatedCarrier().BookAsync(Parcel, Home, default));
    }

    [Fact]
    public async Task A_tracking_number_fits_the_shipment()
    {
        var tracking = Assert.IsType<Booked>(await Book(Home)).Tracking;
        Shipment.Decider.Given().When(new ShipmentCommand.Book(Home, tracking)).ThenAccepted();
    }

    [Fact]
    public async Task An_address_not_served_is_refused_like_the_shipment_would()
    {
        var refused = Assert.IsType<Refused>(await Book(Home with { Country = "AQ" }));
        Assert.Equal(ShipmentRefusal.NotServed("AQ").Code, refused.Code);
        Assert.Equal(Untouched, carrier.Ledger(Parcel));
    }

    [Fact]
    public async Task A_postal_code_that_never_answers_leaves_nothing_to_undo()
    {
        await Assert.ThrowsAsync<TimeoutException>(() => Book(Home with { PostalCode = "00000" }));
        await Assert.ThrowsAsync<TimeoutException>(() => Book(Home with { PostalCode = "00000" }));
        Assert.Equal(Untouched, carrier.Ledger(Parcel));
    }

    [Fact]
    public async Task A_lost_answer_is_found_by_asking_again()
    {
        await Assert.ThrowsAsync<TimeoutException>(() => Book(Home with { PostalCode = "00001" }));
        Assert.Equal(new(1, 0, Closed: false), carrier.Ledger(Parcel));

        Assert.IsType<Booked>(await Book(Home with { PostalCode = "00001" }));
        Assert.Equal(new(1, 0, Closed: false), carrier.Ledger(Parcel));
    }

    [Fact]
    public async Task A_shipment_stands_for_one_address()
    {
        await Book(Home);
        Assert.Equal(
            "shipment-with-other-content", Assert.IsType<Refused>(await Book(Home with { City = "Seoul" })).Code);
    }

    [Fact]
    public async Task A_cancellation_takes_the_booking_back_once()
    {
        await Book(Home);
        Assert.IsType<Cancelled>(await carrier.CancelAsync(Parcel, default));
        Assert.IsType<Cancelled>(await carrier.CancelAsync(Parcel, default));
        Assert.Equal(new(1, 1, Closed: true), carrier.Ledger(Parcel));
    }

    [Fact]
    public async Task A_cancellation_closes_the_shipment_against_a_late_booking()
    {
        Assert.IsType<Cancelled>(await carrier.CancelAsync(Parcel, default));
        Assert.Equal("shipment-cancelled", Assert.IsType<Refused>(await Book(Home)).Code);
        Assert.Equal(new(0, 0, Closed: true), carrier.Ledger(Parcel));
    }

    [Fact]
    public async Task It_times_out_when_told_and_recovers_when_told()
    {
        carrier.TimeOut(CarrierCall.Cancel, times: int.MaxValue, afterEffect: true);
        await Assert.ThrowsAsync<TimeoutException>(() => carrier.CancelAsync(Parcel, default));
        Assert.True(carrier.Ledger(Parcel).Closed);
        carrier.Recover();
        Assert.IsType<Cancelled>(await carrier.CancelAsync(Parcel, default));

        Assert.Throws<ArgumentOutOfRangeException>(() => carrier.TimeOut(CarrierCall.Book, times: 0));
    }

    Task<CarrierAnswer> Book(Address shipTo) => carrier.BookAsync(Parcel, shipTo, default);
}
