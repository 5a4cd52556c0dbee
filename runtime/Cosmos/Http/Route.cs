namespace Runtime.Cosmos.Http;

enum ResourceKind
{
    Account,
    Database,
    Container,
    Item,
    PartitionKeyRange,
    Offer,
}

/// <summary>What an address names. A collection (<c>/dbs</c>) has no id for its own kind, a resource has.</summary>
sealed record Route(ResourceKind Kind, string? Database, string? Container, string? Item, string[] RawSegments)
{
    /// <summary>The word of the protocol that stands for this kind, as requests are signed with it.</summary>
    public string TypeName => Kind switch
    {
        ResourceKind.Account => "",
        ResourceKind.Database => "dbs",
        ResourceKind.Container => "colls",
        ResourceKind.Item => "docs",
        ResourceKind.PartitionKeyRange => "pkranges",
        _ => "offers",
    };

    public static Route Parse(string rawPath)
    {
        var raw = rawPath.Trim('/') is { Length: > 0 } path ? path.Split('/') : [];
        var names = Array.ConvertAll(raw, Uri.UnescapeDataString);
        return names switch
        {
            [] => new(ResourceKind.Account, null, null, null, raw),
            ["dbs"] => new(ResourceKind.Database, null, null, null, raw),
            ["dbs", var database] => new(ResourceKind.Database, database, null, null, raw),
            ["dbs", var database, "colls"] => new(ResourceKind.Container, database, null, null, raw),
            ["dbs", var database, "colls", var container] =>
                new(ResourceKind.Container, database, container, null, raw),
            ["dbs", var database, "colls", var container, "docs"] =>
                new(ResourceKind.Item, database, container, null, raw),
            ["dbs", var database, "colls", var container, "docs", var item] =>
                new(ResourceKind.Item, database, container, item, raw),
            ["dbs", var database, "colls", var container, "pkranges"] =>
                new(ResourceKind.PartitionKeyRange, database, container, null, raw),
            ["offers", ..] => new(ResourceKind.Offer, null, null, null, raw),
            ["dbs", _, "colls", _, var feature, ..] => throw Refused.Unsupported($"The resource type '{feature}'"),
            ["dbs", _, var feature, ..] => throw Refused.Unsupported($"The resource type '{feature}'"),
            ["addresses", ..] => throw Refused.BadRequest(
                "Only the gateway is served: set ConnectionMode = ConnectionMode.Gateway in CosmosClientOptions."),
            [var feature, ..] => throw Refused.Unsupported($"The resource type '{feature}'"),
        };
    }

    /// <summary>The same address with its last name taken literally, for ids that only look percent-encoded.</summary>
    public Route WithRawItem() => this with { Item = RawSegments[^1] };

    /// <summary>The part of the address that is signed: the resource itself, or the parent of a collection.</summary>
    public string SignedLink(bool rawItem)
    {
        if (Kind == ResourceKind.Offer)
        {
            return "";
        }

        var length = RawSegments.Length - (RawSegments.Length % 2);
        var names = RawSegments[..length].Select((segment, i) =>
            rawItem && i == length - 1 ? segment : Uri.UnescapeDataString(segment));
        return string.Join('/', names);
    }
}
