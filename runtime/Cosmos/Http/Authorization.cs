using System.Security.Cryptography;
using System.Text;

namespace Runtime.Cosmos.Http;

/// <summary>Checks that a request was signed with the account key.</summary>
/// <remarks>https://learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources</remarks>
sealed class Authorization
{
    readonly byte[] key;

    public Authorization(string key)
    {
        try
        {
            this.key = Convert.FromBase64String(key);
        }
        catch (FormatException)
        {
            throw new ArgumentException("The account key must be base64.", nameof(key));
        }
    }

    /// <summary>Answers the route the signature was made for, or refuses.</summary>
    public Route Check(ServerRequest request, Route route)
    {
        var sent = Uri.UnescapeDataString(request.Header(Names.Authorization) ?? "");
        const string Prefix = "type=master&ver=1.0&sig=";
        Span<byte> signature = stackalloc byte[SHA256.HashSizeInBytes];
        if (!sent.StartsWith(Prefix, StringComparison.Ordinal) ||
            !Convert.TryFromBase64String(sent[Prefix.Length..], signature, out var length) ||
            length != SHA256.HashSizeInBytes)
        {
            throw Unauthorized();
        }

        if (Matches(signature, request, route, route.SignedLink(rawItem: false)))
        {
            return route;
        }

        // Clients address partition key ranges by resource id and sign only the innermost one, in lower case.
        if (route.Kind == ResourceKind.PartitionKeyRange &&
            Matches(signature, request, route, route.Container!.ToLowerInvariant()))
        {
            return route;
        }

        // Clients send an id such as "100%25" as it is; only its signature tells that it must not be decoded.
        if (route.Item is not null && Matches(signature, request, route, route.SignedLink(rawItem: true)))
        {
            return route.WithRawItem();
        }

        throw Unauthorized();
    }

    static Refused Unauthorized() => new(
        401, "Unauthorized", "The request is not signed, or its signature was not made with the account key.");

    bool Matches(ReadOnlySpan<byte> signature, ServerRequest request, Route route, string link)
    {
        var date = request.Header(Names.Date);
        var text = $"{request.Method.ToLowerInvariant()}\n{route.TypeName}\n{link}\n{date?.ToLowerInvariant()}\n" +
            $"{(date is null ? request.Header("date")?.ToLowerInvariant() : "")}\n";
        Span<byte> expected = stackalloc byte[SHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text), expected);
        return CryptographicOperations.FixedTimeEquals(expected, signature);
    }
}
