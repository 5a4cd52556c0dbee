using Commerce.Payments;
using EventSourcing;

namespace Commerce.Tests.Payments;

public sealed class CardTokens
{
    [Theory]
    [InlineData("4242424242424242", "card_4242")]
    [InlineData("4242 4242 4242 4242", "card_4242")]
    [InlineData("4000-0000-0000-0002", "card_0002")]
    [InlineData("4000000000009995", "card_9995")]
    [InlineData("4000000000000119", "card_0119")]
    [InlineData("4000000000000127", "card_0127")]
    [InlineData("4000000000000341", "card_0341")]
    [InlineData("378282246310005", "card_0005")]
    public void A_card_number_becomes_a_token_that_hides_it(string number, string token)
    {
        Assert.True(CardToken.TryFrom(number, out var method, out var refusal));
        Assert.Null(refusal);
        Assert.Equal(token, method.Value);
        Assert.Null(method.Fault());
    }

    [Theory]
    [InlineData("4242424242424241")]
    [InlineData("4242")]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("42424242424242424242")]
    [InlineData("4242x4242x4242x4242")]
    [InlineData("٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٨")]
    [InlineData("4242 4242 4242 4242                                          ")]
    public void What_is_no_card_number_is_refused_without_repeating_it(string? text)
    {
        Assert.False(CardToken.TryFrom(text, out var method, out var refusal));
        Assert.Equal(default, method);
        Assert.Equal(RefusalKind.Invalid, refusal.Kind);
        Assert.Equal("invalid-card-number", refusal.Code);
        Assert.DoesNotContain(refusal.Detail, char.IsDigit);
    }

    [Theory]
    [InlineData("card_4242424242424242")]
    [InlineData("4242424242424242")]
    [InlineData("card_4242_4242_4242_4242")]
    [InlineData("card_")]
    [InlineData("_4242")]
    [InlineData("Card_4242")]
    [InlineData("card_42 42")]
    [InlineData(null)]
    public void A_token_is_never_a_card_number(string? text)
    {
        Assert.False(PaymentMethod.TryParse(text, out _, out var refusal));
        Assert.Equal("invalid-payment-method", refusal.Code);
    }

    [Theory]
    [InlineData("card_4242")]
    [InlineData("pm_1NxYzA2eZvKYlo2C")]
    public void Tokens_of_other_gateways_are_fine(string text) =>
        Assert.True(PaymentMethod.TryParse(text, out _, out _));
}
