using Commerce.Payments;
using static Commerce.Payments.PaymentAnswer;
using static Commerce.Tests.Samples;

namespace Commerce.Tests.Payments;

public sealed class SimulatedGateway
{
    static readonly PaymentId Payment = PaymentId.Of(TheOrder);
    static readonly RefundId Refund = new(Guid.Parse("bbbbbbbb-0000-0000-0000-000000000001"));
    static readonly PaymentLedger Untouched = new(0, 0, 0, 0, Closed: false);

    readonly SimulatedPaymentGateway gateway = new();

    [Fact]
    public async Task An_approved_card_is_charged_once_however_often_it_is_asked()
    {
        var first = await Approve("card_4242");
        Assert.Equal(first, await Approve("card_4242"));
        Assert.Equal(new(43_00, 0, 0, 0, Closed: false), gateway.Ledger(Payment));

        await gateway.CaptureAsync(Payment, first.Id, default);
        Assert.IsType<Approved>(await gateway.CaptureAsync(Payment, first.Id, default));
        Assert.Equal(new(43_00, 43_00, 0, 0, Closed: false), gateway.Ledger(Payment));

        await gateway.RefundAsync(Payment, first.Id, Refund, Euros(3_00), default);
        Assert.IsType<Approved>(await gateway.RefundAsync(Payment, first.Id, Refund, Euros(3_00), default));
        Assert.Equal(new(43_00, 43_00, 0, 3_00, Closed: false), gateway.Ledger(Payment));
    }

    [Theory]
    [InlineData("card_0002", "card-declined")]
    [InlineData("card_9995", "insufficient-funds")]
    [InlineData("card_1234", "unknown-test-card")]
    [InlineData("pm_other", "unknown-test-card")]
    public async Task A_declined_card_stays_declined(string card, string code)
    {
        Assert.Equal(code, Assert.IsType<Declined>(await Authorize(card)).Code);
        Assert.Equal(code, Assert.IsType<Declined>(await Authorize("card_4242")).Code);
        Assert.Equal(Untouched, gateway.Ledger(Payment));
    }

    [Fact]
    public async Task A_card_that_never_answers_leaves_nothing_to_undo()
    {
        await Assert.ThrowsAsync<TimeoutException>(() => Authorize("card_0119"));
        await Assert.ThrowsAsync<TimeoutException>(() => Authorize("card_0119"));
        Assert.Equal(Untouched, gateway.Ledger(Payment));

        Assert.IsType<Approved>(await gateway.VoidAsync(Payment, default));
    }

    [Fact]
    public async Task A_lost_answer_is_found_by_asking_again()
    {
        await Assert.ThrowsAsync<TimeoutException>(() => Authorize("card_0127"));
        Assert.Equal(new(43_00, 0, 0, 0, Closed: false), gateway.Ledger(Payment));

        await Approve("card_0127");
        Assert.Equal(new(43_00, 0, 0, 0, Closed: false), gateway.Ledger(Payment));
    }

    [Fact]
    public async Task A_capture_that_fails_twice_works_the_third_time()
    {
        var authorization = (await Approve("card_0341")).Id;
        await Assert.ThrowsAsync<TimeoutException>(() => gateway.CaptureAsync(Payment, authorization, default));
        await Assert.ThrowsAsync<TimeoutException>(() => gateway.CaptureAsync(Payment, authorization, default));
        Assert.Equal(0, gateway.Ledger(Payment).Captured);

        Assert.IsType<Approved>(await gateway.CaptureAsync(Payment, authorization, default));
        Assert.Equal(43_00, gateway.Ledger(Payment).Captured);
    }

    [Fact]
    public async Task A_void_closes_the_key_against_a_late_authorization()
    {
        Assert.IsType<Approved>(await gateway.VoidAsync(Payment, default));
        Assert.Equal("payment-voided", Assert.IsType<Declined>(await Authorize("card_4242")).Code);
        Assert.Equal(Untouched with { Closed = true }, gateway.Ledger(Payment));
    }

    [Fact]
    public async Task A_void_lets_go_of_what_was_set_aside()
    {
        var authorization = (await Approve("card_4242")).Id;
        await gateway.VoidAsync(Payment, default);
        Assert.IsType<Approved>(await gateway.VoidAsync(Payment, default));
        Assert.Equal(new(43_00, 0, 43_00, 0, Closed: true), gateway.Ledger(Payment));

        await Declines("payment-voided", gateway.CaptureAsync(Payment, authorization, default));
    }

    [Fact]
    public async Task A_key_stands_for_one_amount()
    {
        await Approve("card_4242");
        await Declines(
            "payment-with-other-amount", gateway.AuthorizeAsync(Payment, Euros(1), new("card_4242"), default));
    }

    [Fact]
    public async Task Money_moves_only_under_an_authorization_the_gateway_gave()
    {
        await Declines("unknown-authorization", gateway.CaptureAsync(Payment, "made-up", default));
        await Approve("card_4242");
        await Declines("unknown-authorization", gateway.CaptureAsync(Payment, "made-up", default));
        await Declines(
            "unknown-authorization",
            gateway.CaptureAsync(Payment, $"sim_{Payment.Value:N}_999999_EUR", default));
    }

    [Fact]
    public async Task Captured_money_is_refunded_not_voided()
    {
        var authorization = (await Approve("card_4242")).Id;
        await Declines("payment-not-captured", gateway.RefundAsync(Payment, authorization, Refund, Euros(1), default));
        await gateway.CaptureAsync(Payment, authorization, default);
        await Declines("payment-captured", gateway.VoidAsync(Payment, default));
        await Declines(
            "refund-exceeds-captured", gateway.RefundAsync(Payment, authorization, Refund, Euros(43_01), default));
        await Declines("refund-exceeds-captured", gateway.RefundAsync(Payment, authorization, Refund, Won(1), default));
        await gateway.RefundAsync(Payment, authorization, Refund, Euros(1), default);
        await Declines(
            "refund-with-other-amount", gateway.RefundAsync(Payment, authorization, Refund, Euros(2), default));
    }

    [Fact]
    public async Task A_payment_authorized_before_a_restart_is_captured_and_refunded_after_it()
    {
        var authorization = (await Approve("card_4242")).Id;

        var restarted = new SimulatedPaymentGateway();
        Assert.IsType<Approved>(await restarted.CaptureAsync(Payment, authorization, default));
        Assert.Equal(new(43_00, 43_00, 0, 0, Closed: false), restarted.Ledger(Payment));

        restarted = new();
        Assert.IsType<Approved>(await restarted.RefundAsync(Payment, authorization, Refund, Euros(43_00), default));
        Assert.Equal(new(43_00, 43_00, 0, 43_00, Closed: false), restarted.Ledger(Payment));
    }

    [Fact]
    public async Task It_times_out_before_its_effect_as_often_as_it_is_told()
    {
        gateway.TimeOut(PaymentCall.Authorize, times: 2);
        await Assert.ThrowsAsync<TimeoutException>(() => Authorize("card_4242"));
        await Assert.ThrowsAsync<TimeoutException>(() => Authorize("card_4242"));
        Assert.Equal(Untouched, gateway.Ledger(Payment));
        await Approve("card_4242");
    }

    [Fact]
    public async Task It_loses_an_answer_after_its_effect_when_told()
    {
        var authorization = (await Approve("card_4242")).Id;
        gateway.TimeOut(PaymentCall.Capture, afterEffect: true);
        await Assert.ThrowsAsync<TimeoutException>(() => gateway.CaptureAsync(Payment, authorization, default));
        Assert.Equal(43_00, gateway.Ledger(Payment).Captured);
        Assert.IsType<Approved>(await gateway.CaptureAsync(Payment, authorization, default));
    }

    [Fact]
    public async Task It_recovers_when_told()
    {
        gateway.TimeOut(PaymentCall.Void, times: int.MaxValue);
        await Assert.ThrowsAsync<TimeoutException>(() => gateway.VoidAsync(Payment, default));
        gateway.Recover();
        Assert.IsType<Approved>(await gateway.VoidAsync(Payment, default));
    }

    [Fact]
    public async Task A_cancelled_call_has_no_effect()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => gateway.AuthorizeAsync(Payment, Euros(43_00), Visa, cancelled.Token));
        Assert.Equal(Untouched, gateway.Ledger(Payment));
    }

    [Fact]
    public async Task Calls_from_many_threads_charge_once()
    {
        await Parallel.ForAsync(0, 64, async (_, cancellation) =>
        {
            var approved = (Approved)await gateway.AuthorizeAsync(Payment, Euros(43_00), Visa, cancellation);
            await gateway.CaptureAsync(Payment, approved.Id, cancellation);
            await gateway.RefundAsync(Payment, approved.Id, Refund, Euros(1_00), cancellation);
        });
        Assert.Equal(new(43_00, 43_00, 0, 1_00, Closed: false), gateway.Ledger(Payment));
    }

    Task<PaymentAnswer> Authorize(string card) => gateway.AuthorizeAsync(Payment, Euros(43_00), new(card), default);

    async Task<Approved> Approve(string card) => Assert.IsType<Approved>(await Authorize(card));

    static async Task Declines(string code, Task<PaymentAnswer> answer) =>
        Assert.Equal(code, Assert.IsType<Declined>(await answer).Code);
}
