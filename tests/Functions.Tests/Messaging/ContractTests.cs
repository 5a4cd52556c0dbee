using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Commerce.Ordering;
using EventSourcing;
using Functions.EventStore;
using Functions.Messaging;

namespace Functions.Tests.Messaging;

/// <summary>What leaves the system is what was published, and nothing of a person leaves.</summary>
public sealed class ContractTests
{
    static readonly JsonSerializerOptions Indented = new(StoredJson.Options) { WriteIndented = true };

    [Fact]
    public void Every_event_told_validates_against_its_published_schema()
    {
        foreach (var told in StoredSamples.All.Select(stored => Integration.Of(stored)!))
        {
            var faults = SchemaCheck.Faults(Schemas.ByName[told.Type], JsonNode.Parse(told.Data.GetRawText()), "data");
            Assert.True(!faults.Any(), $"{told.Type}: {string.Join("; ", faults)}");
        }
    }

    [Fact]
    public void Every_contract_is_told_by_some_stored_event() => Assert.Equal(
        Contracts.ByName.Keys.Order(),
        StoredSamples.All.Select(stored => Integration.Of(stored)!.Type).Distinct().Order());

    /// <summary>Every stored event of the streams that tell is in one list or the other.</summary>
    [Fact]
    public void Every_stored_event_is_either_told_or_known_not_to_be()
    {
        string[] known =
        [
            .. Aggregates.Orders.Codec.Names(), .. Aggregates.Customers.Codec.Names(),
            .. Aggregates.Allocations.Codec.Names(), .. Aggregates.Payments.Codec.Names(),
            .. Aggregates.Shipments.Codec.Names(),
        ];
        var sampled = StoredSamples.All.Concat(StoredSamples.Untold).Select(stored => stored.EventType).ToHashSet();
        Assert.Empty(known.Except(sampled));
    }

    [Fact]
    public void What_concerns_nobody_outside_is_not_told() =>
        Assert.All(StoredSamples.Untold, stored => Assert.Null(Integration.Of(stored)));

    [Fact]
    public void Nothing_of_a_person_leaves() => Assert.All(StoredSamples.All, stored =>
    {
        var text = Encoding.UTF8.GetString(Integration.Of(stored)!.ToBytes());

        // In their own case: an id is of hexadecimal digits, and those may well spell her name.
        Assert.DoesNotContain("Ada", text, StringComparison.Ordinal);
        Assert.DoesNotContain("ada@", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Kim", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Torstr", text, StringComparison.Ordinal);
        Assert.DoesNotContain("4242", text, StringComparison.Ordinal);
    });

    [Fact]
    public void The_envelope_is_a_cloud_event_that_names_event_stream_and_cause()
    {
        var stored = StoredSamples.Of(new OrderEvent.Confirmed(), sequence: 7);
        using var json = JsonDocument.Parse(Integration.Of(stored)!.ToBytes());
        var names = json.RootElement.EnumerateObject().Select(member => member.Name).ToList();

        // CloudEvents 1.0, 2.2: attribute names are lower-case letters and digits.
        Assert.All(names, name => Assert.Matches("^[a-z0-9]{1,20}$", name));
        Assert.Equal("1.0", json.RootElement.GetProperty("specversion").GetString());
        Assert.Equal(stored.EventId, json.RootElement.GetProperty("id").GetGuid());
        Assert.Equal("order-confirmed.v1", json.RootElement.GetProperty("type").GetString());
        Assert.Equal(stored.StreamId, json.RootElement.GetProperty("subject").GetString());
        Assert.Equal("0000000007", json.RootElement.GetProperty("sequence").GetString());
        Assert.Equal("urn:orders:schema:order-confirmed.v1", json.RootElement.GetProperty("dataschema").GetString());
        Assert.Equal("causation", json.RootElement.GetProperty("causationid").GetString());
        Assert.Equal("choreography", json.RootElement.GetProperty("workflow").GetString());
    }

    [Fact]
    public void An_event_read_back_is_the_event_that_was_told()
    {
        var told = Integration.Of(StoredSamples.All[0])!;
        var read = CloudEvent.Read(told.ToBytes());
        Assert.Equal(told.Id, read.Id);
        Assert.Equal(StoredSamples.Order.Value, Assert.IsType<OrderPlaced>(read.Content()).Order);
        Assert.Throws<JsonException>(() => (read with { Type = "order-placed.v99" }).Content());
    }

    [Theory]
    [InlineData("choreography/payments/1/void", "choreography")]
    [InlineData("order-0d000000-0000-4000-8000-000000000001/void", null)]
    public void Only_a_step_that_events_asked_for_is_marked_as_choreographed(string command, string? workflow) =>
        Assert.Equal(
            workflow,
            Integration.Of(StoredSamples.Of(new Commerce.Payments.PaymentEvent.Voided(), command: command))!.Workflow);

    [Fact]
    public void An_event_nobody_can_read_is_an_error_and_not_silence() => Assert.Throws<UndecodableEventException>(() =>
        Integration.Of(StoredSamples.Of(new OrderEvent.Confirmed()) with { EventType = "order-from-the-future" }));

    /// <summary>
    /// A contract is changed on purpose or not at all: run with REWRITE_CONTRACTS=1 to write a new version down.
    /// </summary>
    [Fact]
    public void The_published_schemas_are_those_written_down()
    {
        var now = new JsonObject(Schemas.ByName.OrderBy(s => s.Key, StringComparer.Ordinal)
            .Select(s => KeyValuePair.Create(s.Key, (JsonNode?)s.Value.DeepClone()))).ToJsonString(Indented) + "\n";
        var file = Path.Combine(AppContext.BaseDirectory, "contracts.json");
        if (Environment.GetEnvironmentVariable("REWRITE_CONTRACTS") is { Length: > 0 } folder)
            File.WriteAllText(Path.Combine(folder, "contracts.json"), now);
        Assert.Equal(File.ReadAllText(file), now);
    }
}
