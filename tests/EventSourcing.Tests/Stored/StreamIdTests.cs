namespace EventSourcing.Tests.Stored;

public sealed class StreamIdTests
{
    [Theory]
    [InlineData("order", "7f3c2a10-0000-4000-8000-000000000001")]
    [InlineData("stock", "blue-mug")]
    [InlineData("s", "ü 주문 %20 'quoted'")]
    public void A_name_is_read_back_as_it_was_written(string category, string id)
    {
        var stream = StreamId.Of(category, id);
        Assert.True(StreamId.TryParse(stream.ToString(), out var read));
        Assert.Equal(stream, read);
        Assert.Equal((category, id), (read.Category, read.Id));
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("order")]
    [InlineData("order-")]
    [InlineData("-7")]
    [InlineData("Order-7")]
    [InlineData("order2-7")]
    [InlineData("order-a/b")]
    [InlineData("order-a\\b")]
    [InlineData("order-a?b")]
    [InlineData("order-a#b")]
    [InlineData("order-a\nb")]
    [InlineData("order-a ")]
    public void A_name_Cosmos_would_not_take_is_refused(string? text) => Assert.False(StreamId.TryParse(text, out _));

    [Fact]
    public void A_name_has_a_longest_length()
    {
        Assert.True(StreamId.TryParse("order-" + new string('x', StreamId.LengthMax - 6), out _));
        Assert.False(StreamId.TryParse("order-" + new string('x', StreamId.LengthMax - 5), out _));
        Assert.False(StreamId.TryParse("order-\ud800", out _));
        var refused = Assert.Throws<ArgumentException>(() => StreamId.Of("order", "a/b"));
        Assert.Contains("/", refused.Message, StringComparison.Ordinal);
    }
}
