using Commerce;
using Functions.Http;

namespace Functions.Commands;

/// <summary>An address as requests give it.</summary>
sealed record AddressBody(string? Recipient, string? Street, string? City, string? PostalCode, string? Country)
{
    public Address ToAddress() => Request.Valid(
        Address.TryCreate(Recipient, Street, City, PostalCode, Country, out var address, out var refusal),
        address!,
        refusal);
}

/// <summary>An amount as requests give it: minor units, so that no float is ever involved.</summary>
sealed record MoneyBody(long? MinorUnits, string? Currency)
{
    public Money ToMoney(string name) => Request.Valid(
        Money.TryCreate(
            Request.Required(MinorUnits, $"{name}.minorUnits").Value,
            Request.Required(Currency, $"{name}.currency"),
            out var money,
            out var refusal),
        money,
        refusal);
}
