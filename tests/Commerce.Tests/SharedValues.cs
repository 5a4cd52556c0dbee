using EventSourcing;
using static Commerce.Tests.Samples;

namespace Commerce.Tests;

public sealed class SharedValues
{
    [Fact]
    public void Money_adds_up_in_one_currency()
    {
        Assert.Equal(Euros(3_50), Euros(3_00) + Euros(50));
        Assert.Equal(Euros(-50), Euros(50) - Euros(1_00));
        Assert.Equal(Euros(28_50), Euros(9_50) * 3);
        Assert.True(Euros(2) > Euros(1) && Euros(1) < Euros(2) && Euros(1) >= Euros(1) && Euros(1) <= Euros(1));
    }

    [Fact]
    public void Currencies_never_mix()
    {
        Assert.Throws<InvalidOperationException>(() => Euros(1) + Won(1));
        Assert.Throws<InvalidOperationException>(() => Euros(1) - Won(1));
        Assert.Throws<InvalidOperationException>(() => Euros(1) < Won(1));
        Assert.NotEqual(Euros(1), Won(1));
    }

    [Fact]
    public void Money_never_wraps_around()
    {
        Assert.Throws<OverflowException>(() => Euros(long.MaxValue) + Euros(1));
        Assert.Throws<OverflowException>(() => Euros(long.MinValue) - Euros(1));
        Assert.Throws<OverflowException>(() => Euros(long.MaxValue) * 2);
    }

    [Theory]
    [InlineData(12_50, "EUR", "12.50 EUR")]
    [InlineData(-5, "USD", "-0.05 USD")]
    [InlineData(1250, "JPY", "1250 JPY")]
    [InlineData(1250, "KRW", "1250 KRW")]
    [InlineData(Money.MinorUnitsMax, "GBP", "10000000000.00 GBP")]
    public void Money_reads_with_the_digits_of_its_currency(long minorUnits, string currency, string text) =>
        Assert.Equal(text, new Money(minorUnits, new(currency)).ToString());

    [Theory]
    [InlineData(0, "EUR", null)]
    [InlineData(Money.MinorUnitsMax, "KRW", null)]
    [InlineData(-1, "EUR", "invalid-amount")]
    [InlineData(Money.MinorUnitsMax + 1, "EUR", "invalid-amount")]
    [InlineData(1, "eur", "unknown-currency")]
    [InlineData(1, "XAU", "unknown-currency")]
    [InlineData(1, "", "unknown-currency")]
    [InlineData(1, null, "unknown-currency")]
    public void Money_from_outside_is_bounded_and_in_a_known_currency(long minorUnits, string? currency, string? code)
    {
        Assert.Equal(code is null, Money.TryCreate(minorUnits, currency, out var money, out var refusal));
        Assert.Equal((code, code is null ? null : RefusalKind.Invalid), (refusal?.Code, refusal?.Kind));
        if (code is null) Assert.Equal(new(minorUnits, new(currency!)), money);
    }

    [Theory]
    [InlineData("blue-mug", true)]
    [InlineData("-", true)]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123", true)]
    [InlineData("01234567890123456789012345678901234567890123456789012345678901234", false)]
    [InlineData("Blue", false)]
    [InlineData("a/b", false)]
    [InlineData("a b", false)]
    [InlineData("머그컵", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void A_product_id_is_a_slug(string? text, bool valid)
    {
        Assert.Equal(valid, ProductId.TryParse(text, out var product, out var refusal));
        Assert.Equal(valid ? null : "invalid-product-id", refusal?.Code);
        if (!valid) return;

        Assert.Equal(text, product.ToString());
        var stream = Commerce.Inventory.Stock.Stream(product);
        Assert.True(StreamId.TryParse(stream.ToString(), out var parsed));
        Assert.Equal(product, Commerce.Inventory.Stock.IdOf(parsed));
    }

    [Theory]
    [InlineData("11111111-1111-1111-1111-111111111111", true)]
    [InlineData("11111111111111111111111111111111", false)]
    [InlineData("{11111111-1111-1111-1111-111111111111}", false)]
    [InlineData("00000000-0000-0000-0000-000000000000", false)]
    [InlineData(" ", false)]
    [InlineData(null, false)]
    public void Orders_and_customers_have_guids(string? text, bool valid)
    {
        Assert.Equal(valid, OrderId.TryParse(text, out var order, out var orderRefusal));
        Assert.Equal(valid, CustomerId.TryParse(text, out var customer, out var customerRefusal));
        Assert.Equal(valid ? null : "invalid-order-id", orderRefusal?.Code);
        Assert.Equal(valid ? null : "invalid-customer-id", customerRefusal?.Code);
        if (valid) Assert.Equal((text, text), (order.ToString(), customer.ToString()));
    }

    [Fact]
    public void An_order_names_every_stream_of_its_own()
    {
        const string Id = "11111111-1111-1111-1111-111111111111";
        Assert.Equal($"order-{Id}", Commerce.Ordering.Order.Stream(TheOrder).ToString());
        Assert.Equal(
            $"payment-{Id}",
            Commerce.Payments.Payment.Stream(Commerce.Payments.PaymentId.Of(TheOrder)).ToString());
        Assert.Equal(
            $"shipment-{Id}",
            Commerce.Shipping.Shipment.Stream(Commerce.Shipping.ShipmentId.Of(TheOrder)).ToString());
        Assert.Equal("stock-blue-mug", Commerce.Inventory.Stock.Stream(Mug).ToString());
        Assert.Equal("product-blue-mug", Commerce.Catalog.Product.Stream(Mug).ToString());
        Assert.Equal($"customer-{TheCustomer}", Commerce.Customers.Customer.Stream(TheCustomer).ToString());
    }

    [Theory]
    [InlineData("Ada", "Torstr. 1", "Berlin", "10119", "DE", true)]
    [InlineData("김하나", "세종대로 110", "서울", "04524", "KR", true)]
    [InlineData("", "Torstr. 1", "Berlin", "10119", "DE", false)]
    [InlineData("Ada", "two\nlines", "Berlin", "10119", "DE", false)]
    [InlineData("Ada", "Torstr. 1", null, "10119", "DE", false)]
    [InlineData("Ada", "Torstr. 1", "Berlin", "1234567890123", "DE", false)]
    [InlineData("Ada", "Torstr. 1", "Berlin", "10119", "de", false)]
    [InlineData("Ada", "Torstr. 1", "Berlin", "10119", "DEU", false)]
    [InlineData("Ada", "Torstr. 1", "Berlin", "10119", null, false)]
    public void An_address_is_complete_bounded_and_readable(
        string? recipient, string? street, string? city, string? postalCode, string? country, bool valid)
    {
        Assert.Equal(
            valid,
            Address.TryCreate(recipient, street, city, postalCode, country, out var address, out var refusal));
        Assert.Equal(valid, address is not null);
        Assert.Equal(valid ? null : "invalid-address", refusal?.Code);
    }

    [Fact]
    public void A_line_of_an_address_has_a_limit_and_no_broken_character()
    {
        Assert.Null((Home with { Street = Long(Address.LineLengthMax) }).Fault());
        Assert.NotNull((Home with { Street = Long(Address.LineLengthMax + 1) }).Fault());
        Assert.NotNull((Home with { Street = "a\uD800b" }).Fault());
        Assert.Null((Home with { Street = "a\uD83D\uDE00b" }).Fault());
    }

    [Fact]
    public void What_is_recent_survives_being_stored_and_keeps_its_order()
    {
        var full = Enumerable.Range(0, Recent<int, string>.EntriesMax)
            .Aggregate(Recent<int, string>.None, (recent, i) => recent.Add(i, $"{i}"));
        var restored = new Recent<int, string>(full.Entries);

        Assert.Equal(full.Entries.AsEnumerable(), restored.Entries);
        Assert.False(restored.Add(-1, "new").Contains(0));
        Assert.True(restored.Add(-1, "new").Contains(1));
        Assert.True(restored.Add(0, "known").Contains(1));
    }
}
