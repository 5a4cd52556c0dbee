using System.Text.Json;
using System.Text.Json.Nodes;

namespace EventSourcing.Tests.Stored;

/// <summary>Stored events stay readable for ever, or say loudly that they are not.</summary>
public sealed class EventCodecTests
{
    abstract record TicketEvent
    {
        /// <summary>Version 3: 1 had a price in cents, 2 a price with a currency, 3 calls the seat a place.</summary>
        public sealed record Sold(string Place, Price Price, string? Note = null) : TicketEvent;

        public sealed record Used : TicketEvent;

        public sealed record NeverNamed : TicketEvent;
    }

    sealed record Price(decimal Amount, string Currency);

    static readonly Upcaster ToCurrency = new("ticket-sold", 1, data =>
    {
        data["price"] = new JsonObject { ["amount"] = (decimal)data["cents"]! / 100, ["currency"] = "EUR" };
        data.Remove("cents");
        return data;
    });

    static readonly Upcaster ToPlace = new("ticket-sold", 2, data =>
    {
        data["place"] = (string)data["seat"]!;
        data.Remove("seat");
        return data;
    });

    static EventTypes<TicketEvent> Types() => new()
    {
        { "ticket-sold", typeof(TicketEvent.Sold), 3 },
        { "ticket-used", typeof(TicketEvent.Used) },
    };

    readonly StreamId stream = Samples.NewStream();
    readonly EventCodec<TicketEvent> codec = new(Types(), ToCurrency, ToPlace);

    [Theory]
    [InlineData(1, """{"seat":"A7","cents":1250}""")]
    [InlineData(2, """{"seat":"A7","price":{"amount":12.50,"currency":"EUR"}}""")]
    [InlineData(3, """{"place":"A7","price":{"amount":12.50,"currency":"EUR"}}""")]
    public void Every_version_ever_stored_reads_as_todays(int version, string json)
    {
        var before = json;
        var stored = Stored("ticket-sold", version, json);
        Assert.Equal(new TicketEvent.Sold("A7", new(12.50m, "EUR")), codec.DecodeEvent(stored));

        // Converting must not touch what was read: the same event is decoded many times.
        Assert.Equal(before, stored.EventData.GetRawText());
        Assert.Equal(new TicketEvent.Sold("A7", new(12.50m, "EUR")), codec.DecodeEvent(stored));
    }

    [Fact]
    public void What_is_encoded_is_decoded_again_under_its_stored_name()
    {
        var sold = new TicketEvent.Sold("A7", new(12.50m, "EUR"), "aisle");
        var (type, data) = codec.Encode(sold);
        Assert.Equal(("ticket-sold", 3), (type.Name, type.Version));
        var recorded = codec.Decode(Stored(type.Name, type.Version, data.GetRawText()));
        Assert.Equal((stream, 1L, sold), (recorded.Stream, recorded.Sequence, recorded.Event));
        Assert.Equal(("command-1", "correlation", "causation", "tester"), (
            recorded.Metadata.CommandId, recorded.Metadata.CorrelationId, recorded.Metadata.CausationId,
            recorded.Metadata.UserId));
    }

    [Fact]
    public void A_member_added_later_defaults_and_one_taken_away_is_skipped()
    {
        var stored = Stored(
            "ticket-sold", 3, """{"place":"A7","price":{"amount":1,"currency":"EUR"},"colour":"blue"}""");
        Assert.Equal(new TicketEvent.Sold("A7", new(1, "EUR"), Note: null), codec.DecodeEvent(stored));
    }

    [Theory]
    [InlineData("ticket-lost", 1, "{}", "no event of that name")]
    [InlineData("Ticket-Used", 1, "{}", "no event of that name")]
    [InlineData("ticket-sold", 4, "{}", "newer code")]
    [InlineData("ticket-used", 2, "{}", "newer code")]
    [InlineData("ticket-sold", 0, "{}", "count from 1")]
    [InlineData("ticket-sold", 3, "null", "null")]
    [InlineData("ticket-sold", 3, "[]", "could not be converted")]
    [InlineData("ticket-sold", 3, """{"place":7}""", "could not be converted")]
    [InlineData("ticket-sold", 1, "7", "object")]
    [InlineData("ticket-sold", 1, """{"seat":"A7"}""", "")]
    public void What_can_not_be_read_says_which_event_it_is(string type, int version, string json, string why)
    {
        var stored = Stored(type, version, json) with { Sequence = 42 };
        var refused = Assert.Throws<UndecodableEventException>(() => codec.DecodeEvent(stored));
        Assert.Contains($"42 of {stream} ({type} v{version})", refused.Message, StringComparison.Ordinal);
        Assert.Contains(why, refused.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task An_event_nobody_knows_stops_its_stream_for_commands_too()
    {
        var store = new InMemoryEventStore();
        var counter = Samples.NewStream();
        await store.AppendAsync(counter, 0, [Samples.Event(counter, 1)], null, CancellationToken.None);
        await store.AppendAsync(
            counter, 1, [Samples.Event(counter, 2, type: "counter-doubled")], null, CancellationToken.None);

        var instance = new Commands.Instance(store);
        var refused = await Assert.ThrowsAsync<UndecodableEventException>(() => instance.AddAsync(counter, 1));
        Assert.Contains($"2 of {counter} (counter-doubled v1)", refused.Message, StringComparison.Ordinal);
        Assert.Equal(2, await store.HeadAsync(counter, CancellationToken.None));
    }

    [Fact]
    public void A_version_without_a_way_up_is_refused_at_the_start()
    {
        Assert.Throws<ArgumentException>(() => new EventCodec<TicketEvent>(Types()));
        Assert.Throws<ArgumentException>(() => new EventCodec<TicketEvent>(Types(), ToCurrency));
        Assert.Throws<ArgumentException>(() => new EventCodec<TicketEvent>(Types(), ToCurrency, ToPlace, ToPlace));
    }

    [Theory]
    [InlineData("ticket-sold", 3)]
    [InlineData("ticket-used", 1)]
    [InlineData("ticket-lost", 1)]
    [InlineData("ticket-sold", 0)]
    public void An_upcaster_that_can_never_be_used_is_refused_at_the_start(string type, int from) =>
        Assert.Throws<ArgumentException>(() => new EventCodec<TicketEvent>(
            Types(), ToCurrency, ToPlace, new Upcaster(type, from, data => data)));

    [Fact]
    public void A_name_or_class_given_twice_or_to_a_stranger_is_refused()
    {
        Assert.Throws<ArgumentException>(() => new EventTypes<TicketEvent>
        {
            { "ticket-sold", typeof(TicketEvent.Sold) }, { "ticket-sold", typeof(TicketEvent.Used) },
        });
        Assert.Throws<ArgumentException>(() => new EventTypes<TicketEvent>
        {
            { "ticket-sold", typeof(TicketEvent.Sold) }, { "ticket-bought", typeof(TicketEvent.Sold) },
        });
        Assert.Throws<ArgumentException>(
            () => new EventTypes<TicketEvent> { { "counter-added", typeof(CounterEvent.Added) } });
        Assert.Throws<ArgumentException>(() => new EventTypes<TicketEvent> { { " ", typeof(TicketEvent.Sold) } });
        Assert.ThrowsAny<ArgumentException>(
            () => new EventTypes<TicketEvent> { { "ticket-used", typeof(TicketEvent.Used), 0 } });
    }

    [Fact]
    public void An_event_without_a_stored_name_is_not_stored()
    {
        var refused = Assert.Throws<ArgumentException>(() => codec.Encode(new TicketEvent.NeverNamed()));
        Assert.Contains(nameof(TicketEvent.NeverNamed), refused.Message, StringComparison.Ordinal);
    }

    StoredEvent Stored(string type, int version, string json) => Samples.Event(stream, 1, type: type, version: version)
        with
        {
            EventData = JsonSerializer.Deserialize<JsonElement>(json),
        };
}
