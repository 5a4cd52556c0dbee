using System.Diagnostics.CodeAnalysis;
using EventSourcing;

namespace Commerce.Payments;

/// <summary>
/// Turns a card number into a token and forgets the number, as a gateway's own form does in the customer's browser.
/// Neither the token nor a refusal repeats more of it than the last four digits.
/// </summary>
public static class CardToken
{
    const int DigitsMin = 12;
    const int DigitsMax = 19;

    public static bool TryFrom(string? number, out PaymentMethod token, [NotNullWhen(false)] out Refusal? refusal)
    {
        Span<char> digits = stackalloc char[DigitsMax];
        var count = 0;
        var readable = number is { Length: <= DigitsMax * 2 };
        foreach (var c in number ?? "")
        {
            if (readable && c is (' ' or '-')) continue;
            readable &= char.IsAsciiDigit(c) && count < DigitsMax;
            if (!readable) break;
            digits[count++] = c;
        }

        var valid = readable && count >= DigitsMin && HasValidCheckDigit(digits[..count]);
        token = valid ? new($"card_{digits[(count - 4)..count]}") : default;
        refusal = valid ? null : new("invalid-card-number", "This is not a card number.", RefusalKind.Invalid);
        digits.Clear();
        return valid;
    }

    // Luhn: every second digit from the right counts double, a double of two digits counts its digits' sum.
    static bool HasValidCheckDigit(ReadOnlySpan<char> digits)
    {
        var sum = 0;
        for (var i = 0; i < digits.Length; i++)
        {
            var digit = digits[^(i + 1)] - '0';
            sum += i % 2 == 0 ? digit : digit < 5 ? digit * 2 : digit * 2 - 9;
        }

        return sum % 10 == 0;
    }
}
