using Commerce;
using Functions.Http;

namespace Functions.Commands;

/// <summary>An address as requests give it.</summary>
sealed record AddressBody(string? Recipient, string? Street, string? City, string? PostalCode, string? Country)
{
    public Address ToAddress() => Request.Valid(
        Address.TryCreate(Recipient, Street, City, PostalCode, Country, out var address, out var refusal), address!, refusal);
}
