using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Azure.Cosmos;

namespace Runtime.Cosmos.Tests;

/// <summary>Random operations and queries against the server and against a list that is simply gone through.</summary>
public abstract class Simulation(RunningServer running)
{
    const int Steps = 600;
    const int QueriesPerSeed = 50;

    public sealed class InMemory(MemoryServer running) : Simulation(running), IClassFixture<MemoryServer>;

    public sealed class OnFile(FileServer running) : Simulation(running), IClassFixture<FileServer>;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task The_server_and_the_model_agree(int seed)
    {
        var random = new Random(seed);
        var container = await running.ContainerAsync(declared => declared.IndexingPolicy.CompositeIndexes.Add(
            [new() { Path = "/kind" }, new() { Path = "/n", Order = CompositePathSortOrder.Descending }]));
        var model = new Model();
        for (var step = 0; step < Steps; step++)
        {
            await StepAsync(container, model, random, $"seed {seed}, step {step}");
            if (step % (Steps / QueriesPerSeed) == 0)
            {
                await CompareAsync(container, model, RandomQuery.Next(random), random, seed);
            }
        }

        for (var query = 0; query < QueriesPerSeed; query++)
        {
            await CompareAsync(container, model, RandomQuery.Next(random), random, seed);
        }
    }

    static async Task StepAsync(Container container, Model model, Random random, string where)
    {
        // Most items are in one partition, so that it grows past what is merely scanned.
        var pk = random.Next(4) == 0 ? "q" : "p";
        var id = $"{random.Next(500)}";
        var key = new PartitionKey(pk);
        var document = RandomQuery.Document(random, id, pk);
        using var text = new MemoryStream(Encoding.UTF8.GetBytes(document.ToJsonString()));
        HttpStatusCode expected;
        ResponseMessage answer;
        switch (random.Next(6))
        {
            case 0 or 1:
                expected = model.Create(document);
                answer = await container.CreateItemStreamAsync(text, key);
                break;
            case 2:
                expected = model.Find(pk, id) is null ? HttpStatusCode.Created : HttpStatusCode.OK;
                model.Put(document);
                answer = await container.UpsertItemStreamAsync(text, key);
                break;
            case 3:
                expected = model.Find(pk, id) is null ? HttpStatusCode.NotFound : HttpStatusCode.OK;
                model.Replace(document);
                answer = await container.ReplaceItemStreamAsync(text, id, key);
                break;
            case 4 when random.Next(3) == 0:
                expected = model.Delete(pk, id) ? HttpStatusCode.NoContent : HttpStatusCode.NotFound;
                answer = await container.DeleteItemStreamAsync(id, key);
                break;
            default:
                await BatchAsync(container, model, random, pk, where);
                return;
        }

        using (answer)
        {
            Assert.True(expected == answer.StatusCode, $"{where}: expected {expected}, was {answer.StatusCode}");
        }
    }

    static async Task BatchAsync(Container container, Model model, Random random, string pk, string where)
    {
        var batch = container.CreateTransactionalBatch(new PartitionKey(pk));
        var attempt = model.Copy();
        var succeeds = true;
        for (var i = random.Next(1, 5); i > 0; i--)
        {
            var document = RandomQuery.Document(random, $"{random.Next(500)}", pk);
            using var text = new MemoryStream(Encoding.UTF8.GetBytes(document.ToJsonString()));
            if (random.Next(3) > 0)
            {
                succeeds &= attempt.Create(document) == HttpStatusCode.Created;
                batch.CreateItemStream(new MemoryStream(text.ToArray()));
            }
            else
            {
                attempt.Put(document);
                batch.UpsertItemStream(new MemoryStream(text.ToArray()));
            }
        }

        using var answer = await batch.ExecuteAsync();
        Assert.True(succeeds == answer.IsSuccessStatusCode, $"{where}: the batch ended with {answer.StatusCode}");
        if (succeeds)
        {
            model.Become(attempt);
        }
    }

    static async Task CompareAsync(Container container, Model model, RandomQuery query, Random random, int seed)
    {
        var pk = query.Partition;
        int? pageItems = random.Next(2) == 0 ? null : random.Next(1, 30);
        var expected = query.Run(model.Documents.Where(document => pk is null || (string)document["pk"]! == pk));
        var actual = await container.QueryAsync(query.Text, pk, pageItems);
        if (!query.IsOrdered)
        {
            expected.Sort(StringComparer.Ordinal);
            actual.Sort(StringComparer.Ordinal);
        }

        Assert.True(
            expected.SequenceEqual(actual),
            $"seed {seed}: {query.Text} in {pk ?? "all"} by {pageItems}\nmodel:  {string.Join(' ', expected)}\n" +
            $"server: {string.Join(' ', actual)}");
    }

    sealed class Model
    {
        readonly List<JsonObject> documents = [];

        public IReadOnlyList<JsonObject> Documents => documents;

        public JsonObject? Find(string pk, string id) =>
            documents.Find(document => (string)document["pk"]! == pk && (string)document["id"]! == id);

        public HttpStatusCode Create(JsonObject document)
        {
            if (Find((string)document["pk"]!, (string)document["id"]!) is not null)
            {
                return HttpStatusCode.Conflict;
            }

            documents.Add(document);
            return HttpStatusCode.Created;
        }

        /// <summary>In place: an item keeps its number, and with it its place among equals.</summary>
        public bool Replace(JsonObject document)
        {
            var index = documents.IndexOf(Find((string)document["pk"]!, (string)document["id"]!)!);
            if (index >= 0)
            {
                documents[index] = document;
            }

            return index >= 0;
        }

        public void Put(JsonObject document)
        {
            if (!Replace(document))
            {
                documents.Add(document);
            }
        }

        public bool Delete(string pk, string id) => documents.Remove(Find(pk, id)!);

        public Model Copy()
        {
            var copy = new Model();
            copy.documents.AddRange(documents);
            return copy;
        }

        public void Become(Model other)
        {
            documents.Clear();
            documents.AddRange(other.documents);
        }
    }
}

/// <summary>A query as text and, independently, as a computation over documents.</summary>
public sealed class RandomQuery
{
    static readonly string[] Kinds = ["a", "b", "c", "ab"];

    required public string Text { get; init; }

    required public string? Partition { get; init; }

    required public bool IsOrdered { get; init; }

    required public Func<IEnumerable<JsonObject>, List<string>> Run { get; init; }

    public static JsonObject Document(Random random, string id, string pk)
    {
        var document = new JsonObject { ["id"] = id, ["pk"] = pk };
        switch (random.Next(10))
        {
            case 0:
                document["n"] = null;
                break;
            case 1:
                document["n"] = random.Next(2) == 0;
                break;
            case 2:
                document["n"] = $"t{random.Next(5)}";
                break;
            case 3:
                break;
            default:
                document["n"] = random.Next(40) / 2.0;
                break;
        }

        if (random.Next(8) > 0)
        {
            document["kind"] = Kinds[random.Next(Kinds.Length)];
        }

        return document;
    }

    public static RandomQuery Next(Random random)
    {
        var (where, test) = Filter(random, 2);
        var partition = random.Next(3) switch { 0 => "p", 1 => "q", _ => null };
        var (order, compare) = Order(random);
        var cut = order.Length > 0 ? random.Next(4) : 3;
        var (top, skip, take) = (random.Next(1, 40), random.Next(0, 20), random.Next(1, 40));
        return random.Next(8) switch
        {
            0 => new RandomQuery
            {
                Text = $"SELECT VALUE COUNT(1) FROM c WHERE {where}",
                Partition = partition,
                IsOrdered = true,
                Run = documents => [$"{documents.Count(test)}"],
            },
            1 => new RandomQuery
            {
                Text = $"SELECT DISTINCT VALUE c.kind FROM c WHERE {where}",
                Partition = partition,
                IsOrdered = false,
                Run = documents => [.. documents.Where(test).Where(document => document.ContainsKey("kind"))
                    .Select(document => document["kind"]!.ToJsonString()).Distinct()],
            },
            _ => new RandomQuery
            {
                Text = $"SELECT {(cut == 0 ? $"TOP {top} " : "")}VALUE c.id FROM c WHERE {where}{order}" +
                    (cut == 1 ? $" OFFSET {skip} LIMIT {take}" : ""),
                Partition = partition,
                IsOrdered = order.Length > 0,
                Run = documents =>
                {
                    var numbered = documents.Select((document, number) => new Row(document, number))
                        .Where(row => test(row.Document));
                    var rows = numbered.Order(Comparer<Row>.Create((x, y) =>
                        compare(x.Document, y.Document) is var decided and not 0 ? decided
                            : order.StartsWith(" ORDER BY c.n DESC", StringComparison.Ordinal) ||
                                order.StartsWith(" ORDER BY c.kind DESC", StringComparison.Ordinal)
                                    ? y.Number.CompareTo(x.Number)
                                    : x.Number.CompareTo(y.Number)));
                    var cutRows = cut == 0 ? rows.Take(top) : cut == 1 ? rows.Skip(skip).Take(take) : rows;
                    return [.. cutRows.Select(row => row.Document["id"]!.ToJsonString())];
                },
            },
        };
    }

    static (string Text, Func<JsonObject, bool> Test) Filter(Random random, int depth)
    {
        if (depth > 0 && random.Next(3) > 0)
        {
            var ((left, a), (right, b)) = (Filter(random, depth - 1), Filter(random, depth - 1));
            return random.Next(3) == 0
                ? ($"({left} OR {right})", document => a(document) || b(document))
                : ($"{left} AND {right}", document => a(document) && b(document));
        }

        var number = random.Next(40) / 2.0;
        var text = number.ToString(CultureInfo.InvariantCulture);
        var kind = Kinds[random.Next(Kinds.Length)];
        return random.Next(9) switch
        {
            0 => ($"c.n > {text}", document => Number(document) > number),
            1 => ($"{text} >= c.n", document => Number(document) <= number),
            2 => ($"c.n = {text}", document => Number(document) == number),
            3 => ($"(c.n BETWEEN {text} AND {text} + 3)",
                document => Number(document) is { } n && n >= number && n <= number + 3),
            4 => ($"c.kind = '{kind}'", document => Kind(document) == kind),
            5 => ($"c.kind IN ('{kind}', 'b', null)", document => Kind(document) == kind || Kind(document) == "b"),
            6 => ("STARTSWITH(c.kind, 'a')", document => Kind(document)?.StartsWith('a') == true),
            7 => ("IS_DEFINED(c.n)", document => document.ContainsKey("n")),
            _ => ("true", _ => true),
        };
    }

    static (string Text, Comparison<JsonObject> Compare) Order(Random random)
    {
        Comparison<JsonObject> byNumber = (x, y) => Rank(x, "n").CompareTo(Rank(y, "n"));
        Comparison<JsonObject> byKind = (x, y) => Rank(x, "kind").CompareTo(Rank(y, "kind"));
        return random.Next(6) switch
        {
            0 => (" ORDER BY c.n", byNumber),
            1 => (" ORDER BY c.n DESC", (x, y) => byNumber(y, x)),
            2 => (" ORDER BY c.kind DESC", (x, y) => byKind(y, x)),
            3 => (" ORDER BY c.kind, c.n DESC", (x, y) => byKind(x, y) is var order and not 0 ? order : byNumber(y, x)),
            4 => (" ORDER BY c.kind DESC, c.n", (x, y) => byKind(y, x) is var order and not 0 ? order : byNumber(x, y)),
            _ => ("", (_, _) => 0),
        };
    }

    /// <summary>The order of kinds, then of values: undefined, null, booleans, numbers, strings.</summary>
    static (int Kind, double Number, Word Text) Rank(JsonObject document, string name)
    {
        if (!document.TryGetPropertyValue(name, out var node))
        {
            return default;
        }

        return node?.GetValueKind() switch
        {
            null => (1, 0, default),
            JsonValueKind.True or JsonValueKind.False => (2, (bool)node ? 1 : 0, default),
            JsonValueKind.Number => (3, (double)node, default),
            _ => (4, 0, new Word((string)node!)),
        };
    }

    static double? Number(JsonObject document) =>
        document["n"]?.GetValueKind() == JsonValueKind.Number ? (double)document["n"]! : null;

    static string? Kind(JsonObject document) => (string?)document["kind"];

    readonly record struct Row(JsonObject Document, int Number);

    readonly record struct Word(string? Text) : IComparable<Word>
    {
        public int CompareTo(Word other) => string.CompareOrdinal(Text, other.Text);
    }
}
