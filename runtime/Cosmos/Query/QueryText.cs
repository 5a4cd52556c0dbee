using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Runtime.Cosmos.Http;
using Runtime.Cosmos.Query.Syntax;

namespace Runtime.Cosmos.Query;

/// <summary>A query ready to run.</summary>
sealed record CompiledQuery(SelectQuery Select, int Slots)
{
    /// <summary>Whether no row can be given before all items were looked at.</summary>
    public bool MustSeeAll => Select.IsDistinct || Select.IsGrouped;
}

/// <summary>
/// A query as it was sent: its text, its parameters, and where a client that planned it itself wants to resume.
/// </summary>
sealed record QueryText(string Text, IReadOnlyDictionary<string, Value> Parameters, JsonElement? ResumeFilter)
{
    public static QueryText Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            var sent = JsonElement.Parse(body.Span, new() { MaxDepth = CosmosLimits.NestingMax });
            var text = sent.GetProperty("query").GetString() ?? throw Refused.BadRequest("The query is null.");
            var parameters = new Dictionary<string, Value>(StringComparer.Ordinal);
            if (sent.TryGetProperty("parameters", out var given) && given.ValueKind == JsonValueKind.Array)
            {
                foreach (var parameter in given.EnumerateArray())
                {
                    parameters[parameter.GetProperty("name").GetString() ?? ""] =
                        parameter.TryGetProperty("value", out var value) ? Value.Of(value) : Value.Undefined;
                }
            }

            JsonElement? resume = sent.TryGetProperty("resumeFilter", out var filter) &&
                filter.ValueKind == JsonValueKind.Object ? filter : null;
            return new QueryText(text, parameters, resume);
        }
        catch (Exception malformed) when (malformed is JsonException or KeyNotFoundException
            or InvalidOperationException)
        {
            throw Refused.BadRequest("The body of a query must be a JSON object with the text 'query'.");
        }
    }

    public CompiledQuery Compile()
    {
        var (query, slots) = Parser.Parse(Text, Parameters);
        return new CompiledQuery(query, slots);
    }

    /// <summary>The condition of a patch as a test of the item's text.</summary>
    public static Func<ReadOnlyMemory<byte>, bool> CompileCondition(string text)
    {
        var (query, slots) = Parser.ParseCondition(text);
        return body => query.Bindings(Scope.Of(slots, body)).Any();
    }
}

/// <summary>Documents as values.</summary>
static class Documents
{
    static readonly JsonDocumentOptions Depth = new() { MaxDepth = CosmosLimits.NestingMax };

    // Not disposed: values point into it for as long as they live, and the garbage collector knows how long that is.
    public static Value Read(ReadOnlyMemory<byte> body) => Value.Of(JsonDocument.Parse(body, Depth).RootElement);
}

/// <summary>Values as JSON text.</summary>
static class JsonText
{
    static readonly JsonWriterOptions Plain = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    public static Utf8JsonWriter Writer(IBufferWriter<byte> output) => new(output, Plain);

    public static byte[] Bytes(Value value)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var writer = Writer(output))
        {
            value.WriteTo(writer);
        }

        return output.WrittenSpan.ToArray();
    }

    public static string Of(Value value) => Encoding.UTF8.GetString(Bytes(value));
}

/// <summary>A query over a few documents at once, without pages: for databases and containers.</summary>
static class DocumentQuery
{
    public static List<byte[]> Run(CompiledQuery query, IEnumerable<byte[]> documents)
    {
        var rows = documents.SelectMany(body => query.Select.Bindings(Scope.Of(query.Slots, body)));
        return [.. query.Select.Rows(rows, new Scope(query.Slots)).Select(JsonText.Bytes)];
    }
}
