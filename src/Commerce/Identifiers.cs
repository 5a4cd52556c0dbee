using System.Diagnostics.CodeAnalysis;
using EventSourcing;

namespace Commerce;

// Every id has one property, Value, and is stored as that bare value. Its constructor takes anything on purpose: what
// was stored once must stay readable when a rule becomes stricter. What comes from outside goes through TryParse.

/// <summary>Names a product for people and in addresses: <c>blue-mug</c>.</summary>
public readonly record struct ProductId(string Value)
{
    public const int LengthMax = 64;

    public Refusal? Fault() => Text.IsSlug(Value, LengthMax)
        ? null
        : new(
            "invalid-product-id",
            $"A product id is 1 to {LengthMax} lower-case letters, digits and dashes.",
            RefusalKind.Invalid);

    public static bool TryParse(string? text, out ProductId product, [NotNullWhen(false)] out Refusal? refusal)
    {
        product = new(text ?? "");
        refusal = product.Fault();
        return refusal is null;
    }

    public override string ToString() => Value;
}

/// <summary>Names a customer; the caller chooses it.</summary>
public readonly record struct CustomerId(Guid Value)
{
    public Refusal? Fault() => Value == Guid.Empty
        ? new("invalid-customer-id", "A customer id is a GUID written 8-4-4-4-12, not all zeros.", RefusalKind.Invalid)
        : null;

    public static bool TryParse(string? text, out CustomerId customer, [NotNullWhen(false)] out Refusal? refusal)
    {
        customer = new(Guid.TryParseExact(text, "D", out var value) ? value : Guid.Empty);
        refusal = customer.Fault();
        return refusal is null;
    }

    public override string ToString() => Value.ToString("D");
}

/// <summary>Names an order, and through it all that is done for it: its payment, shipment and reservations.</summary>
public readonly record struct OrderId(Guid Value)
{
    public Refusal? Fault() => Value == Guid.Empty
        ? new("invalid-order-id", "An order id is a GUID written 8-4-4-4-12, not all zeros.", RefusalKind.Invalid)
        : null;

    public static bool TryParse(string? text, out OrderId order, [NotNullWhen(false)] out Refusal? refusal)
    {
        order = new(Guid.TryParseExact(text, "D", out var value) ? value : Guid.Empty);
        refusal = order.Fault();
        return refusal is null;
    }

    public override string ToString() => Value.ToString("D");
}

/// <summary>How many pieces one line, reservation or delivery may speak of.</summary>
public static class Quantity
{
    public const int Min = 1;
    public const int Max = 10_000;

    public static Refusal? Fault(int quantity) => quantity is >= Min and <= Max
        ? null
        : new("invalid-quantity", $"A quantity is {Min} to {Max}.", RefusalKind.Invalid);
}
