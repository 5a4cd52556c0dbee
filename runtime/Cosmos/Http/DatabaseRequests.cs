using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Runtime.Cosmos.Query;
using Runtime.Cosmos.Storage;

namespace Runtime.Cosmos.Http;

/// <summary>Create, read, list, query and delete databases.</summary>
sealed class DatabaseRequests(Store store)
{
    public Task<Reply> HandleAsync(ServerRequest request, Route route) => (request.Method, route.Database) switch
    {
        ("POST", null) when request.Flag(Names.IsQuery) => Task.FromResult(Query(request)),
        ("POST", null) => CreateAsync(request),
        ("GET", null) => Task.FromResult(List()),
        ("GET", { } id) => Task.FromResult(Read(id)),
        ("DELETE", { } id) => DeleteAsync(id),
        _ => throw new Refused(405, "MethodNotAllowed", $"A database cannot be the target of {request.Method}."),
    };

    Reply Query(ServerRequest request) =>
        Metadata.Query(request, "Databases", "", store.Catalog.Databases.Values.Select(Text));

    Reply List() => Metadata.List("Databases", "", [.. store.Catalog.Databases.Values.Select(Text)]);

    Reply Read(string id) => store.Catalog.Databases.TryGetValue(id, out var database)
        ? Metadata.One(200, Text(database))
        : throw Refused.NotFound($"The database '{id}'");

    Task<Reply> CreateAsync(ServerRequest request)
    {
        var id = ResourceName.Checked(Metadata.Parse(request.Body)["id"]);
        return store.WriteAsync(scope =>
        {
            if (scope.Catalog.Databases.ContainsKey(id))
            {
                throw Refused.Conflict($"The database '{id}' already exists.");
            }

            var database = new Database(scope.Catalog.LastNumber + 1, id, scope.Now);
            scope.Catalog = scope.Catalog.With(database) with { LastNumber = database.Number };
            scope.Add(new DatabaseChange(database, IsDropped: false));
            return Metadata.One(201, Text(database));
        });
    }

    Task<Reply> DeleteAsync(string id) => store.WriteAsync(scope =>
    {
        if (!scope.Catalog.Databases.TryGetValue(id, out var database))
        {
            throw Refused.NotFound($"The database '{id}'");
        }

        foreach (var container in database.Containers.Values)
        {
            scope.Add(new ContainerChange(container, container.Definition, IsDropped: true));
        }

        scope.Add(new DatabaseChange(database, IsDropped: true));
        scope.Catalog = scope.Catalog with { Databases = scope.Catalog.Databases.Remove(id) };
        return new Reply(204) { Charge = Metadata.WriteCharge };
    });

    static byte[] Text(Database database) => Metadata.Text(
        new JsonObject { ["id"] = database.Id }, database.Rid, $"dbs/{database.Rid}/", database.Created, 0,
        ("_colls", "colls/"), ("_users", "users/"));
}

/// <summary>What answers about databases and containers have in common.</summary>
static class Metadata
{
    /// <summary>No public figure exists; metadata is rare enough not to matter.</summary>
    public const double WriteCharge = 4.95;
    public const double ReadCharge = 1;

    public static JsonObject Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            return JsonNode.Parse(body.Span) as JsonObject
                ?? throw Refused.BadRequest("The body must be a JSON object.");
        }
        catch (JsonException malformed)
        {
            throw Refused.BadRequest($"The body is not valid JSON: {malformed.Message}");
        }
    }

    public static byte[] Text(
        JsonObject declared, string rid, string self, long created, int version,
        params ReadOnlySpan<(string Name, string Value)> links)
    {
        declared["_rid"] = rid;
        declared["_self"] = self;
        declared["_etag"] = string.Create(CultureInfo.InvariantCulture, $"\"{created:x8}-{version:x8}\"");
        declared["_ts"] = created;
        foreach (var (name, value) in links)
        {
            declared[name] = value;
        }

        return JsonSerializer.SerializeToUtf8Bytes(declared);
    }

    public static Reply One(int status, byte[] text)
    {
        using var document = JsonDocument.Parse(text);
        return new Reply(status, text) { Charge = status == 200 ? ReadCharge : WriteCharge }
            .With(Names.ETag, document.RootElement.GetProperty("_etag").GetString()!);
    }

    public static Reply List(string name, string rid, IReadOnlyList<byte[]> texts)
    {
        var entries = string.Join(',', texts.Select(Encoding.UTF8.GetString));
        var body = $"{{\"_rid\":\"{rid}\",\"{name}\":[{entries}],\"_count\":{texts.Count}}}";
        return new Reply(200, Encoding.UTF8.GetBytes(body)) { Charge = ReadCharge }
            .With(Names.ItemCount, texts.Count.ToString(CultureInfo.InvariantCulture));
    }

    public static Reply Query(ServerRequest request, string name, string rid, IEnumerable<byte[]> texts)
    {
        var query = QueryText.Parse(request.Body).Compile();
        return List(name, rid, DocumentQuery.Run(query, texts));
    }
}
