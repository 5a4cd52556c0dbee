using System.Diagnostics.CodeAnalysis;
using EventSourcing;

namespace Commerce;

/// <summary>
/// A payment gateway's token for a way to pay, <c>card_4242</c>: never a card number, so that no event ever holds one.
/// </summary>
public readonly record struct PaymentMethod(string Value)
{
    public const int LengthMax = 64;

    // The shortest card numbers have twelve digits; a token with that many in a row may be one in disguise.
    const int DigitsInARowMax = 11;

    public Refusal? Fault() => IsToken(Value)
        ? null
        : new(
            "invalid-payment-method",
            "A payment method is a gateway's token such as card_4242, never a card number.",
            RefusalKind.Invalid);

    public static bool TryParse(string? text, out PaymentMethod method, [NotNullWhen(false)] out Refusal? refusal)
    {
        method = new(text ?? "");
        refusal = method.Fault();
        return refusal is null;
    }

    public override string ToString() => Value;

    static bool IsToken(string? text)
    {
        if (text is null || text.Length > LengthMax) return false;
        var underscore = text.IndexOf('_', StringComparison.Ordinal);
        if (underscore < 1 || underscore == text.Length - 1) return false;
        if (!text[..underscore].All(char.IsAsciiLetterLower)) return false;

        var digitsInARow = 0;
        foreach (var c in text.AsSpan(underscore + 1))
        {
            if (!char.IsAsciiLetterOrDigit(c)) return false;
            digitsInARow = char.IsAsciiDigit(c) ? digitsInARow + 1 : 0;
            if (digitsInARow > DigitsInARowMax) return false;
        }

        return true;
    }
}
