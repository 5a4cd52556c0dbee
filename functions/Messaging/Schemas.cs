using System.ComponentModel;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using EventSourcing;
using Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Messaging;

/// <summary>The published shapes of the integration events, as JSON Schema (2020-12).</summary>
public static class Schemas
{
    const string ContentType = "application/schema+json";

    static readonly Lazy<IReadOnlyDictionary<string, JsonNode>> All = new(() =>
        Contracts.ByName.ToDictionary(
            contract => contract.Key, JsonNode (contract) => Of(contract.Key, contract.Value)));

    public static IReadOnlyDictionary<string, JsonNode> ByName => All.Value;

    /// <summary>The name of every event that leaves, and where its schema is.</summary>
    [Function(nameof(GetSchemas))]
    public static IResult GetSchemas(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "schemas")] HttpRequest request) =>
        TypedResults.Json(
            new Listing([.. ByName.Keys.Order(StringComparer.Ordinal).Select(
                name => new Entry(name, Contracts.SchemaOf(name), $"/api/schemas/{name}"))]),
            StoredJson.Options);

    [Function(nameof(GetSchema))]
    public static IResult GetSchema(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "schemas/{name}")] HttpRequest request,
        string name) =>
        ByName.TryGetValue(name, out var schema)
            ? TypedResults.Text(schema.ToJsonString(), ContentType)
            : Problem.Of(new("unknown-schema", "No event of that name leaves this system.", RefusalKind.Unknown));

    static JsonObject Of(string name, Type contract)
    {
        var exported = StoredJson.Options.GetJsonSchemaAsNode(
            contract, new() { TreatNullObliviousAsNonNullable = true }).AsObject();
        var schema = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["$id"] = Contracts.SchemaOf(name),
            ["title"] = name,
            ["description"] = contract.GetCustomAttribute<DescriptionAttribute>()!.Description,
        };
        foreach (var (keyword, value) in exported) schema[keyword] = value?.DeepClone();
        return schema;
    }

    sealed record Listing(IReadOnlyList<Entry> Schemas);

    sealed record Entry(string Name, string Id, string Href);
}
