using System.Collections.Immutable;
using Commerce.Ordering;
using EventSourcing;

namespace Commerce.Tests;

/// <summary>Well-formed values that most tests share; what matters to a rule stands in its test.</summary>
static class Samples
{
    public static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public static readonly OrderId TheOrder = new(Guid.Parse("11111111-1111-1111-1111-111111111111"));
    public static readonly CustomerId TheCustomer = new(Guid.Parse("22222222-2222-2222-2222-222222222222"));
    public static readonly ProductId Mug = new("blue-mug");
    public static readonly ProductId Pot = new("tea-pot");
    public static readonly PaymentMethod Visa = new("card_4242");
    public static readonly Address Home = new("Ada Kim", "Torstr. 1", "Berlin", "10119", "DE");
    public static readonly ImmutableArray<OrderLine> Lines = [new(Mug, 2, Euros(9_50)), new(Pot, 1, Euros(24_00))];

    public static Money Euros(long cents) => new(cents, Currency.EUR);

    public static Money Won(long won) => new(won, Currency.KRW);

    public static EventMetadata Metadata(int hours) =>
        new(Guid.Empty, Noon.AddHours(hours), "command", "correlation", "causation");

    public static string Long(int length) => new('x', length);
}
