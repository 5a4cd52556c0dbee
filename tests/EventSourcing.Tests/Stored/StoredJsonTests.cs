using System.Collections.Immutable;
using System.Text.Json;

namespace EventSourcing.Tests.Stored;

/// <summary>The JSON of everything stored is a contract: these texts must not change.</summary>
public sealed class StoredJsonTests
{
    readonly record struct OrderId(Guid Value);

    readonly record struct Slug(string Value);

    readonly record struct Year(int Value);

    enum Colour
    {
        None,
        DarkBlue,
    }

    static readonly Guid Id = Guid.Parse("7f3c2a10-0000-4000-8000-000000000001");

    [Fact]
    public void An_id_of_one_value_is_stored_as_that_value()
    {
        RoundTrips(new OrderId(Id), $"\"{Id}\"");
        RoundTrips(new Slug("blue-mug"), "\"blue-mug\"");
        RoundTrips(new Year(1999), "1999");
        RoundTrips<OrderId?>(null, "null");
        RoundTrips<OrderId?>(new(Id), $"\"{Id}\"");
    }

    [Fact]
    public void An_id_is_a_dictionary_key_as_its_value()
    {
        RoundTrips(ImmutableDictionary<OrderId, int>.Empty.Add(new(Id), 1), $$"""{"{{Id}}":1}""");
        RoundTrips(ImmutableDictionary<Slug, int>.Empty.Add(new("blue-mug"), 1), """{"blue-mug":1}""");
        RoundTrips(ImmutableDictionary<Year, Slug>.Empty.Add(new(1999), new("a")), """{"1999":"a"}""");
    }

    [Fact]
    public void An_id_without_a_value_is_an_error_and_not_an_empty_id()
    {
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<Slug>("null", StoredJson.Options));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<OrderId>("\"\"", StoredJson.Options));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<OrderId>("{}", StoredJson.Options));
    }

    [Fact]
    public void Names_are_camel_case_enums_are_words_and_letters_are_themselves()
    {
        RoundTrips(Colour.DarkBlue, "\"darkBlue\"");
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<Colour>("1", StoredJson.Options));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<Colour>("\"red\"", StoredJson.Options));
        RoundTrips(new CounterEvent.Noted("주문 ü"), """{"text":"주문 ü"}""");
        Assert.Equal("\"\\u003Cb\\u003E\"", JsonSerializer.Serialize("<b>", StoredJson.Options));
    }

    [Fact]
    public void A_stored_event_looks_like_this()
    {
        var stored = Samples.Event(StreamId.Of("counter", Id), 7, "a-command") with
        {
            EventId = Id,
            UserId = null,
        };
        string[] members =
        [
            "'id':'0000000007'", $"'streamId':'counter-{Id}'", "'sequence':7", $"'eventId':'{Id}'",
            "'eventType':'counter-added'", "'eventVersion':1", "'eventData':{'by':1}",
            "'timestamp':'2026-03-01T12:00:07+00:00'", "'correlationId':'correlation'", "'causationId':'causation'",
            "'commandId':'a-command'", "'commandKey':'a-command/0'", "'commandHash':'hash'",
        ];
        Assert.Equal(
            $"{{{string.Join(',', members)}}}".Replace('\'', '"'),
            JsonSerializer.Serialize(stored, StoredJson.Options));
    }

    static void RoundTrips<T>(T value, string json)
    {
        Assert.Equal(json, JsonSerializer.Serialize(value, StoredJson.Options));
        var read = JsonSerializer.Deserialize<T>(json, StoredJson.Options);
        Assert.Equal(json, JsonSerializer.Serialize(read, StoredJson.Options));
        if (value is not System.Collections.IEnumerable) Assert.Equal(value, read);
    }
}
