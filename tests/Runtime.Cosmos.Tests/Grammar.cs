using Runtime.Cosmos.Http;
using Runtime.Cosmos.Query;

namespace Runtime.Cosmos.Tests;

public sealed class Grammar
{
    [Theory]
    [InlineData("", "SELECT")]
    [InlineData("SELECT", "an expression")]
    [InlineData("SELECT FROM c", "an expression")]
    [InlineData("SELECT * FROM", "a collection")]
    [InlineData("SELECT * FROM c WHERE", "the end of the query")]
    [InlineData("SELECT * FROM c WHERE c.a =", "an expression")]
    [InlineData("SELECT * FROM c WHERE (c.a = 1", "')'")]
    [InlineData("SELECT * FROM c WHERE c.a = 'x", "never closed")]
    [InlineData("SELECT * FROM c WHERE c.a = 1a", "not valid")]
    [InlineData("SELECT * FROM c WHERE c.a = 1e999", "not valid")]
    [InlineData("SELECT * FROM c WHERE c.a = '\\q'", "\\q")]
    [InlineData("SELECT * FROM c WHERE c.a # 1", "'#'")]
    [InlineData("SELECT * FROM c WHERE c.a == 1", "'='")]
    [InlineData("SELECT * FROM c WHERE !c.a", "'!'")]
    [InlineData("SELECT * FROM c WHERE d.a = 1", "'d'")]
    [InlineData("SELECT * FROM c WHERE c.order = 1", "'order'")]
    [InlineData("SELECT c.value FROM c", "'value'")]
    [InlineData("SELECT c.id AS select FROM c", "'select'")]
    [InlineData("SELECT * FROM c WHERE c.a BETWEEN 1 AND 2 AND c.b = 1", "'AND'")]
    [InlineData("SELECT * FROM c WHERE c.b = 1 AND c.a BETWEEN 1 AND 2", "'BETWEEN'")]
    [InlineData("SELECT * FROM c WHERE c.a IN ()", "IN needs")]
    [InlineData("SELECT * FROM c WHERE c.a[c.b] = 1", "a name or a number")]
    [InlineData("SELECT * FROM c WHERE c.a = @missing", "@missing")]
    [InlineData("SELECT * FROM c WHERE NOSUCH(c.a)", "NOSUCH")]
    [InlineData("SELECT * FROM c WHERE udf.f(c.a)", "user-defined function")]
    [InlineData("SELECT * FROM c WHERE LOWER(c.a, c.b) = 'x'", "LOWER")]
    [InlineData("SELECT * FROM c WHERE GetCurrentDateTime() > c.a", "GETCURRENTDATETIME")]
    [InlineData("SELECT * FROM c WHERE ALL(SELECT VALUE t FROM t IN c.tags)", "ALL(SELECT")]
    [InlineData("SELECT * FROM c WHERE COUNT(1) > 1", "aggregate")]
    [InlineData("SELECT COUNT(COUNT(1)) FROM c", "aggregate")]
    [InlineData("SELECT c.a, COUNT(1) FROM c", "'c.a'")]
    [InlineData("SELECT c.a FROM c GROUP BY c.b", "'c.a'")]
    [InlineData("SELECT * FROM c GROUP BY c.a", "GROUP BY")]
    [InlineData("SELECT c.a, COUNT(1) FROM c GROUP BY c.a ORDER BY c.a", "ORDER BY together with GROUP BY")]
    [InlineData("SELECT * FROM c ORDER BY c.a + 1", "ORDER BY")]
    [InlineData("SELECT * FROM c ORDER BY RANK f(c.a)", "RANK")]
    [InlineData("SELECT * FROM c JOIN t IN c.tags", "single input set")]
    [InlineData("SELECT t FROM c JOIN t IN d.tags", "'d'")]
    [InlineData("SELECT c FROM c JOIN c IN c.tags", "'c'")]
    [InlineData("SELECT c.a, c.a FROM c", "'a'")]
    [InlineData("SELECT {a: 1, a: 2} FROM c", "'a'")]
    [InlineData("SELECT TOP (5) * FROM c", "TOP")]
    [InlineData("SELECT TOP 1.5 * FROM c", "TOP")]
    [InlineData("SELECT TOP 1 * FROM c OFFSET 1 LIMIT 1", "TOP")]
    [InlineData("SELECT * FROM c OFFSET 1", "LIMIT")]
    [InlineData("SELECT * FROM c OFFSET -1 LIMIT 1", "OFFSET")]
    [InlineData("SELECT * FROM c LIMIT 1", "'LIMIT'")]
    [InlineData("SELECT * FROM c /* why */", "'/'")]
    [InlineData("SELECT * FROM c; DROP", "';'")]
    public void A_query_that_is_none_is_refused_with_the_reason(string query, string reason)
    {
        var refused = Assert.Throws<Refused>(() => Parse(query));
        Assert.Equal(400, refused.Status);
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_query_nested_without_end_is_refused_before_the_stack_is_used_up()
    {
        static string Many(string text, int times) => string.Concat(Enumerable.Repeat(text, times));

        var brackets = new[] { ("(", ")"), ("[", "]"), ("NOT ", ""), ("-", ""), ("{a:", "}"), ("ABS(", ")") };
        foreach (var (opening, closing) in brackets)
        {
            var text = $"SELECT VALUE {Many(opening, 50_000)}1{Many(closing, 50_000)} FROM c";
            Assert.Equal(400, Assert.Throws<Refused>(() => Parse(text)).Status);
        }

        Assert.Throws<Refused>(() => Parse("SELECT VALUE 1" + Many(" + 1", 5000)));
        Assert.Throws<Refused>(() => Parse("SELECT VALUE c" + Many(".a", 5000) + " FROM c"));
        Parse("SELECT * FROM c WHERE c.a = 0" + Many(" OR c.a = 1", 5000));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Words_in_any_order_are_a_query_or_refused(int seed)
    {
        string[] words =
        [
            "SELECT", "VALUE", "*", "FROM", "c", "c.a", "WHERE", "=", "1", "'x'", "(", ")", "[", "]", "{", "}", ",",
            "AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "ORDER", "BY", "GROUP", "TOP", "DISTINCT", "OFFSET", "LIMIT",
            "JOIN", "t", "COUNT", "EXISTS", "?", ":", "??", ".", "@p", "-", "udf", "null", "AS", "ARRAY", "ESCAPE",
        ];
        var random = new Random(seed);
        for (var i = 0; i < 3000; i++)
        {
            var query = "SELECT " + string.Join(' ', random.GetItems(words, random.Next(1, 14)));
            try
            {
                Parse(query);
            }
            catch (Refused refused)
            {
                Assert.True(refused.Status == 400, query);
            }
        }
    }

    static void Parse(string query) => new QueryText(query, new Dictionary<string, Value>(), null).Compile();
}
