using System.Diagnostics.CodeAnalysis;
using EventSourcing;

namespace Commerce;

/// <summary>Where a parcel goes; the country is an ISO 3166 two-letter code.</summary>
public sealed record Address(string Recipient, string Street, string City, string PostalCode, string Country)
{
    public const int LineLengthMax = 100;
    public const int PostalCodeLengthMax = 12;

    /// <summary>Null when every part is there, bounded and readable; otherwise which one is not.</summary>
    public Refusal? Fault() =>
        !Text.IsLine(Recipient, LineLengthMax) ? Invalid($"The recipient is 1 to {LineLengthMax} characters.")
        : !Text.IsLine(Street, LineLengthMax) ? Invalid($"The street is 1 to {LineLengthMax} characters.")
        : !Text.IsLine(City, LineLengthMax) ? Invalid($"The city is 1 to {LineLengthMax} characters.")
        : !Text.IsLine(PostalCode, PostalCodeLengthMax)
            ? Invalid($"The postal code is 1 to {PostalCodeLengthMax} characters.")
        : !(Country is { Length: 2 } && Country.All(char.IsAsciiLetterUpper))
            ? Invalid("The country is an ISO 3166 code of two upper-case letters.")
        : null;

    public static bool TryCreate(
        string? recipient,
        string? street,
        string? city,
        string? postalCode,
        string? country,
        [NotNullWhen(true)] out Address? address,
        [NotNullWhen(false)] out Refusal? refusal)
    {
        var candidate = new Address(recipient ?? "", street ?? "", city ?? "", postalCode ?? "", country ?? "");
        refusal = candidate.Fault();
        address = refusal is null ? candidate : null;
        return refusal is null;
    }

    static Refusal Invalid(string detail) => new("invalid-address", detail, RefusalKind.Invalid);
}
