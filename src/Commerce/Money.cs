using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using EventSourcing;

namespace Commerce;

/// <summary>One of the currencies this business trades in, a closed set; stored as its ISO 4217 code.</summary>
public readonly record struct Currency(string Value)
{
    public static readonly Currency EUR = new("EUR");
    public static readonly Currency USD = new("USD");
    public static readonly Currency GBP = new("GBP");
    public static readonly Currency JPY = new("JPY");
    public static readonly Currency KRW = new("KRW");

    public static readonly ImmutableArray<Currency> All = [EUR, USD, GBP, JPY, KRW];

    /// <summary>How many decimal digits separate the currency from its minor unit.</summary>
    public int Digits() => Value is "JPY" or "KRW" ? 0 : 2;

    public Refusal? Fault() => All.Contains(this)
        ? null
        : new("unknown-currency", $"A currency is one of {string.Join(", ", All)}.", RefusalKind.Invalid);

    public static bool TryParse(string? text, out Currency currency, [NotNullWhen(false)] out Refusal? refusal)
    {
        currency = new(text ?? "");
        refusal = currency.Fault();
        return refusal is null;
    }

    public override string ToString() => Value;
}

/// <summary>
/// An amount in minor units of one currency. Arithmetic never wraps around and never mixes currencies: both throw,
/// because whoever adds has checked first.
/// </summary>
public readonly record struct Money(long MinorUnits, Currency Currency)
{
    /// <summary>
    /// The largest amount accepted from outside. A hundred order lines of ten thousand pieces each stay inside a
    /// <see cref="long"/>, and a JavaScript client reads it exactly.
    /// </summary>
    public const long MinorUnitsMax = 1_000_000_000_000;

    public static Money Zero(Currency currency) => new(0, currency);

    /// <summary>Null when the amount is neither too small nor too large and in a known currency.</summary>
    public Refusal? Fault(long minorUnitsMin = 0) => Currency.Fault() is { } unknown ? unknown
        : MinorUnits >= minorUnitsMin && MinorUnits <= MinorUnitsMax ? null
        : new("invalid-amount", $"An amount is {minorUnitsMin} to {MinorUnitsMax} minor units.", RefusalKind.Invalid);

    public static bool TryCreate(
        long minorUnits, string? currency, out Money money, [NotNullWhen(false)] out Refusal? refusal)
    {
        money = new(minorUnits, new(currency ?? ""));
        refusal = money.Fault();
        return refusal is null;
    }

    public static Money operator +(Money left, Money right) =>
        left with { MinorUnits = checked(left.MinorUnits + right.In(left.Currency)) };

    public static Money operator -(Money left, Money right) =>
        left with { MinorUnits = checked(left.MinorUnits - right.In(left.Currency)) };

    public static Money operator *(Money price, int quantity) =>
        price with { MinorUnits = checked(price.MinorUnits * quantity) };

    public static bool operator >(Money left, Money right) => left.MinorUnits > right.In(left.Currency);

    public static bool operator <(Money left, Money right) => left.MinorUnits < right.In(left.Currency);

    public static bool operator >=(Money left, Money right) => left.MinorUnits >= right.In(left.Currency);

    public static bool operator <=(Money left, Money right) => left.MinorUnits <= right.In(left.Currency);

    /// <summary>For people: <c>12.50 EUR</c>, <c>1250 JPY</c>.</summary>
    public override string ToString()
    {
        var digits = Currency.Digits();
        var amount = digits == 0 ? MinorUnits : MinorUnits / 100m;
        return string.Create(CultureInfo.InvariantCulture, $"{amount.ToString($"F{digits}", null)} {Currency}");
    }

    long In(Currency currency) => Currency == currency
        ? MinorUnits
        : throw new InvalidOperationException($"{this} is not an amount in {currency}.");
}
