using System.Text;
using System.Text.Json.Nodes;
using Runtime.Cosmos.Storage;

namespace Runtime.Cosmos.Http;

/// <summary>Create, read, list, query, redefine and delete containers; and their one partition key range.</summary>
sealed class ContainerRequests(Store store)
{
    // It never changes, because a container never splits: the client asks once, is told "not modified", and is content.
    const string RangesETag = "\"1\"";

    public Task<Reply> HandleAsync(ServerRequest request, Route route) => (request.Method, route.Container) switch
    {
        ("POST", null) when request.Flag(Names.IsQuery) => Task.FromResult(Query(request, route)),
        ("POST", null) => CreateAsync(request, route),
        ("GET", null) => Task.FromResult(List(route)),
        ("GET", not null) => Task.FromResult(Metadata.One(200, Text(Find(store.Catalog, route)))),
        ("PUT", not null) => ReplaceAsync(request, route),
        ("DELETE", not null) => DeleteAsync(route),
        _ => throw new Refused(405, "MethodNotAllowed", $"A container cannot be the target of {request.Method}."),
    };

    /// <summary>
    /// One range for the whole key space: then clients merge nothing, and a query is answered in one place.
    /// </summary>
    public Reply ReadRanges(ServerRequest request, Route route)
    {
        var container = Find(store.Catalog, route);
        if (request.Header(Names.IfNoneMatch) == RangesETag)
        {
            return new Reply(304).With(Names.ETag, RangesETag);
        }

        var rid = ResourceId.Range(container.Database, container.Number);
        var self = $"dbs/{ResourceId.Database(container.Database)}/colls/{container.Rid}/pkranges/{rid}/";
        return new Reply(200, Encoding.UTF8.GetBytes(
            $$"""
            {"_rid":"{{container.Rid}}","PartitionKeyRanges":[{"_rid":"{{rid}}","id":"0","_etag":"\"1\"",
            "minInclusive":"","maxExclusive":"FF","ridPrefix":0,"_self":"{{self}}",
            "throughputFraction":1,"status":"online","parents":[],"_ts":{{container.Created}}}],"_count":1}
            """))
            .With(Names.ETag, RangesETag)
            .With(Names.ItemCount, "1");
    }

    /// <summary>The container of an address, by name or, as clients do for ranges, by resource id.</summary>
    public static Container Find(Catalog catalog, Route route)
    {
        if (catalog.Databases.TryGetValue(route.Database!, out var named))
        {
            return named.Containers.GetValueOrDefault(route.Container!) ?? throw Missing(route);
        }

        return catalog.Databases.Values
            .Where(database => database.Rid == route.Database)
            .SelectMany(database => database.Containers.Values)
            .FirstOrDefault(container => container.Rid == route.Container) ?? throw Missing(route);
    }

    static Refused Missing(Route route) =>
        Refused.NotFound($"The container '{route.Database}/{route.Container}'", SubStatuses.OwnerMissing);

    static Database FindDatabase(Catalog catalog, Route route) =>
        catalog.Databases.GetValueOrDefault(route.Database!)
            ?? throw Refused.NotFound($"The database '{route.Database}'", SubStatuses.OwnerMissing);

    Reply Query(ServerRequest request, Route route)
    {
        var database = FindDatabase(store.Catalog, route);
        return Metadata.Query(
            request, "DocumentCollections", database.Rid,
            database.Containers.Values.Select(container => Text(container)));
    }

    Reply List(Route route)
    {
        var database = FindDatabase(store.Catalog, route);
        return Metadata.List(
            "DocumentCollections", database.Rid, [.. database.Containers.Values.Select(container => Text(container))]);
    }

    Task<Reply> CreateAsync(ServerRequest request, Route route)
    {
        var definition = ContainerDefinition.Parse(request.Body);
        return store.WriteAsync(scope =>
        {
            var database = FindDatabase(scope.Catalog, route);
            if (database.Containers.ContainsKey(definition.Id))
            {
                throw Refused.Conflict($"The container '{definition.Id}' already exists.");
            }

            var container = new Container(scope.Catalog.LastNumber + 1, database.Number, definition, scope.Now);
            scope.Add(new ContainerChange(container, definition, IsDropped: false));
            scope.Catalog = scope.Catalog.With(database with
            {
                Containers = database.Containers.Add(definition.Id, container),
            }) with
            {
                LastNumber = container.Number,
            };
            return Metadata.One(201, Text(container));
        });
    }

    Task<Reply> ReplaceAsync(ServerRequest request, Route route)
    {
        var definition = ContainerDefinition.Parse(request.Body);
        return store.WriteAsync(scope =>
        {
            var container = Find(scope.Catalog, route);
            container.Definition.CheckReplacement(definition);
            scope.Redefine(container, definition);
            return Metadata.One(200, Text(container, definition));
        });
    }

    Task<Reply> DeleteAsync(Route route) => store.WriteAsync(scope =>
    {
        var database = FindDatabase(scope.Catalog, route);
        var container = Find(scope.Catalog, route);
        scope.Add(new ContainerChange(container, container.Definition, IsDropped: true));
        scope.Catalog = scope.Catalog.With(database with
        {
            Containers = database.Containers.Remove(container.Definition.Id),
        });
        return new Reply(204) { Charge = Metadata.WriteCharge };
    });

    static byte[] Text(Container container, ContainerDefinition? definition = null)
    {
        definition ??= container.Definition;
        var self = $"dbs/{ResourceId.Database(container.Database)}/colls/{container.Rid}/";
        return Metadata.Text(
            JsonNode.Parse(definition.Text)!.AsObject(), container.Rid, self, container.Created, definition.Text.Length,
            ("_docs", "docs/"), ("_sprocs", "sprocs/"), ("_triggers", "triggers/"), ("_udfs", "udfs/"),
            ("_conflicts", "conflicts/"));
    }
}
