using Microsoft.Azure.Cosmos;

namespace Runtime.Cosmos.Tests;

public sealed class ShopServer : IAsyncLifetime
{
    public MemoryServer Running { get; } = new();

    public Container Lines { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        await Running.InitializeAsync();
        Lines = await Running.ContainerAsync(declared => declared.IndexingPolicy.CompositeIndexes.Add(
            [new() { Path = "/kind" }, new() { Path = "/n", Order = CompositePathSortOrder.Descending }]));
        await Lines.StoreAsync("""{"id":"1","pk":"p","kind":"a","n":1,"tags":["x","y"],"o":{"q":true}}""");
        await Lines.StoreAsync("""{"id":"2","pk":"p","kind":"b","n":2.5,"tags":[]}""");
        await Lines.StoreAsync("""{"id":"3","pk":"p","kind":"a","n":3,"tags":["y","z"],"o":null}""");
        await Lines.StoreAsync(
            """{"id":"4","pk":"q","kind":"b","n":4,"items":[{"sku":"s1","qty":2},{"sku":"s2","qty":1}]}""", "q");
        await Lines.StoreAsync("""{"id":"5","pk":"q","kind":null,"n":"five"}""", "q");
        await Lines.StoreAsync("""{"id":"6","pk":"q","n":false}""", "q");
    }

    public Task DisposeAsync() => Running.DisposeAsync();
}

public sealed class Queries(ShopServer shop) : IClassFixture<ShopServer>
{
    [Theory]
    // Projections
    [InlineData("SELECT c.id, c.o.q FROM c WHERE c.id = '1'", """{"id":"1","q":true}""")]
    [InlineData("SELECT c.id AS x, c['n'] FROM c WHERE c.id = '1'", """{"x":"1","n":1}""")]
    [InlineData("SELECT VALUE c.n FROM c WHERE c.id = '2'", "2.5")]
    [InlineData("SELECT VALUE c.missing FROM c")]
    [InlineData("SELECT c.missing FROM c WHERE c.id = '1'", "{}")]
    [InlineData("SELECT VALUE {a: c.n, 'b': [c.id, c.missing]} FROM c WHERE c.id='1'", """{"a":1,"b":["1"]}""")]
    [InlineData("SELECT 1 + 2 * 3, -4, 'it\\'s' = 'x' FROM c WHERE c.id='1'", """{"$1":7,"$2":-4,"$3":false}""")]
    [InlineData("SELECT VALUE (1 + 2) * 3 % 4 FROM c WHERE c.id='1'", "1")]
    [InlineData("select value c.id from c where c.id in ('1','3')", "\"1\"", "\"3\"")]
    [InlineData("SELECT VALUE root.id FROM root WHERE root.id = '4'", "\"4\"")]
    [InlineData("SELECT VALUE c.o FROM c WHERE IS_DEFINED(c.o)", """{"q":true}""", "null")]
    // Filters: undefined is not null, kinds do not mix
    [InlineData("SELECT VALUE c.id FROM c WHERE c.n > 1", "\"2\"", "\"3\"", "\"4\"")]
    [InlineData("SELECT VALUE c.id FROM c WHERE c.n >= 1 AND c.n <= 2.5", "\"1\"", "\"2\"")]
    [InlineData("SELECT VALUE c.id FROM c WHERE c.n BETWEEN 2 AND 3", "\"2\"", "\"3\"")]
    [InlineData("SELECT VALUE c.id FROM c WHERE c.n NOT BETWEEN 2 AND 3", "\"1\"", "\"4\"")]
    [InlineData("SELECT VALUE c.id FROM c WHERE c.n != 1", "\"2\"", "\"3\"", "\"4\"", "\"5\"", "\"6\"")]
    [InlineData("SELECT VALUE c.id FROM c WHERE NOT (c.kind = 'a')", "\"2\"", "\"4\"", "\"5\"")]
    // NOT binds tighter than a comparison, as in the service: (NOT c.kind) = 'a' is never true
    [InlineData("SELECT VALUE c.id FROM c WHERE NOT c.kind = 'a'")]
    [InlineData("SELECT VALUE c.id FROM c WHERE NOT (c.kind = 'a') AND c.n < 3", "\"2\"")]
    [InlineData("SELECT VALUE c.id FROM c WHERE (c.n BETWEEN 1 AND 2) OR c.id = '6'", "\"1\"", "\"6\"")]
    [InlineData("SELECT VALUE [6 | 1 + 1, 1 << 2 + 1, 7 & 3 * 1, 2 + 3 % 2, -2 + 1] FROM c WHERE c.id='1'",
        "[8,8,3,3,-1]")]
    [InlineData("SELECT VALUE [~5, 7 >> 1, -1 >>> 28, 6 ^ 3] FROM c WHERE c.id='1'", "[-6,3,15,5]")]
    [InlineData("SELECT VALUE c.id FROM c WHERE c.kind = null", "\"5\"")]
    [InlineData("SELECT VALUE c.id FROM c WHERE NOT IS_DEFINED(c.kind)", "\"6\"")]
    [InlineData("SELECT VALUE c.id FROM c WHERE c.n = false OR c.n = 'five'", "\"5\"", "\"6\"")]
    [InlineData("SELECT VALUE c.id FROM c WHERE c.kind NOT IN ('a', null)", "\"2\"", "\"4\"")]
    [InlineData("SELECT VALUE c.id FROM c WHERE c.o.q", "\"1\"")]
    [InlineData("SELECT VALUE c.id FROM c WHERE (c.n > 2 ? c.kind : 'none') = 'a'", "\"3\"")]
    [InlineData("SELECT VALUE c.kind ?? 'none' FROM c WHERE c.id IN ('5','6')", "null", "\"none\"")]
    [InlineData("SELECT VALUE c.id FROM c WHERE c.kind LIKE 'a%' AND c.id LIKE '[0-2]'", "\"1\"")]
    [InlineData("SELECT VALUE c.id FROM c WHERE c.n LIKE '%iv_'", "\"5\"")]
    [InlineData("SELECT VALUE '50%' LIKE '50!%' ESCAPE '!' FROM c WHERE c.id='1'", "true")]
    [InlineData("SELECT VALUE c.id FROM c WHERE c.tags = ['x', 'y']", "\"1\"")]
    [InlineData("SELECT VALUE c.id FROM c WHERE c.o = {\"q\": true}", "\"1\"")]
    // Arrays, joins and subqueries
    [InlineData("SELECT VALUE c.id FROM c WHERE ARRAY_CONTAINS(c.tags, 'y')", "\"1\"", "\"3\"")]
    [InlineData("SELECT VALUE c.id FROM c WHERE ARRAY_CONTAINS(c.items, {sku: 's2'}, true)", "\"4\"")]
    [InlineData("SELECT c.id, t FROM c JOIN t IN c.tags WHERE t != 'x'",
        """{"id":"1","t":"y"}""", """{"id":"3","t":"y"}""", """{"id":"3","t":"z"}""")]
    [InlineData("SELECT VALUE i.qty FROM c JOIN i IN c.items", "2", "1")]
    [InlineData("SELECT VALUE t FROM t IN c.tags", "\"x\"", "\"y\"", "\"y\"", "\"z\"")]
    [InlineData("SELECT VALUE c.id FROM c WHERE EXISTS(SELECT VALUE t FROM t IN c.tags WHERE t = 'z')", "\"3\"")]
    [InlineData("SELECT VALUE ARRAY(SELECT VALUE i.sku FROM i IN c.items WHERE i.qty > 1) FROM c WHERE c.id='4'",
        """["s1"]""")]
    [InlineData("SELECT VALUE (SELECT VALUE SUM(i.qty) FROM i IN c.items) FROM c WHERE c.id='4'", "3")]
    [InlineData("SELECT c.id, s.n FROM c JOIN (SELECT COUNT(1) AS n FROM t IN c.tags) AS s WHERE c.id='1'",
        """{"id":"1","n":2}""")]
    // Order, and the order of kinds: undefined, null, boolean, number, string
    [InlineData("SELECT VALUE c.id FROM c WHERE c.pk='q' ORDER BY c.n", "\"6\"", "\"4\"", "\"5\"")]
    [InlineData("SELECT VALUE c.id FROM c ORDER BY c.kind", "\"6\"", "\"5\"", "\"1\"", "\"3\"", "\"2\"", "\"4\"")]
    [InlineData("SELECT VALUE c.id FROM c ORDER BY c.kind DESC", "\"4\"", "\"2\"", "\"3\"", "\"1\"", "\"5\"", "\"6\"")]
    [InlineData("SELECT VALUE c.id FROM c WHERE IS_STRING(c.kind) ORDER BY c.kind, c.n DESC",
        "\"3\"", "\"1\"", "\"4\"", "\"2\"")]
    [InlineData("SELECT VALUE c.id FROM c WHERE IS_STRING(c.kind) ORDER BY c.kind DESC, c.n ASC",
        "\"2\"", "\"4\"", "\"1\"", "\"3\"")]
    [InlineData("SELECT TOP 2 * FROM c WHERE false")]
    [InlineData("SELECT TOP 2 VALUE c.id FROM c ORDER BY c.id DESC", "\"6\"", "\"5\"")]
    [InlineData("SELECT VALUE c.id FROM c ORDER BY c.id OFFSET 1 LIMIT 2", "\"2\"", "\"3\"")]
    [InlineData("SELECT VALUE c.id FROM c OFFSET 5 LIMIT 10", "\"6\"")]
    // Aggregates and groups
    [InlineData("SELECT VALUE COUNT(1) FROM c", "6")]
    [InlineData("SELECT VALUE COUNT(c.kind) FROM c", "5")]
    [InlineData("SELECT VALUE SUM(c.n) FROM c WHERE c.pk = 'p'", "6.5")]
    [InlineData("SELECT VALUE SUM(c.n) FROM c")]
    [InlineData("SELECT VALUE AVG(c.n) FROM c WHERE c.id IN ('1','3')", "2")]
    [InlineData("SELECT VALUE AVG(c.n) FROM c WHERE c.id = 'none'")]
    [InlineData("SELECT VALUE COUNT(1) FROM c WHERE c.id = 'none'", "0")]
    [InlineData("SELECT MIN(c.n) AS low, MAX(c.n) AS high, COUNT(1) FROM c WHERE c.pk='p'",
        """{"low":1,"high":3,"$1":3}""")]
    [InlineData("SELECT c.kind, COUNT(1) AS n FROM c GROUP BY c.kind",
        """{"n":1}""", """{"kind":null,"n":1}""", """{"kind":"a","n":2}""", """{"kind":"b","n":2}""")]
    [InlineData("SELECT c.kind, c.pk, SUM(c.n) AS s FROM c WHERE IS_NUMBER(c.n) GROUP BY c.kind, c.pk",
        """{"kind":"a","pk":"p","s":4}""", """{"kind":"b","pk":"p","s":2.5}""", """{"kind":"b","pk":"q","s":4}""")]
    [InlineData("SELECT VALUE COUNT(1) FROM c GROUP BY UPPER(c.kind)", "2", "2", "2")]
    [InlineData("SELECT DISTINCT VALUE c.kind FROM c", "null", "\"a\"", "\"b\"")]
    [InlineData("SELECT DISTINCT c.kind FROM c WHERE IS_STRING(c.kind) ORDER BY c.kind DESC",
        """{"kind":"b"}""", """{"kind":"a"}""")]
    public async Task Answers(string query, params string[] rows)
    {
        Assert.Equal(rows, await shop.Lines.QueryAsync(query));
        Assert.Equal(rows, await shop.Lines.QueryAsync(query, pageItems: 1));
    }
}
