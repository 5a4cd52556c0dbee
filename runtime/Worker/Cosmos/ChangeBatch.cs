using System.Text.Json;
using Newtonsoft.Json;

namespace Runtime.Worker;

/// <summary>One page of the change feed as the text that a function is given.</summary>
/// <remarks>The Functions host reads the feed with Newtonsoft.Json and hands its own writing of it to the worker.
/// That is not the text in the database: a string that looks like a date comes out as that date (without trailing
/// zeros, in local time if it had an offset), and numbers with a fraction pass through a double. The same happens
/// here, on purpose: code that would stumble over it on Azure has to stumble over it at home.</remarks>
sealed record ChangeBatch(ReadOnlyMemory<byte> Json, int Count)
{
    const int IdsShownMax = 20;

    /// <summary>Takes the items out of an answer such as <c>{"_rid":…,"Documents":[…],"_count":n}</c>.</summary>
    public static ChangeBatch Read(Stream page)
    {
        using var json = new JsonTextReader(new StreamReader(page));
        while (json.Read())
        {
            if (json is { TokenType: JsonToken.PropertyName, Depth: 1, Value: "Documents" })
            {
                json.Read();
                return Copy(json);
            }
        }

        throw new InvalidDataException("The change feed answered without \"Documents\".");
    }

    /// <summary>The ids in the batch, for the log of a failure.</summary>
    public string Ids()
    {
        using var items = JsonDocument.Parse(Json);
        var ids = items.RootElement.EnumerateArray().Take(IdsShownMax)
            .Select(item => item.TryGetProperty("id", out var id) ? id.ToString() : "?");
        return string.Join(", ", ids) + (Count > IdsShownMax ? ", …" : "");
    }

    static ChangeBatch Copy(JsonTextReader json)
    {
        var copy = new MemoryStream();
        var count = 0;
        using (var writer = new JsonTextWriter(new StreamWriter(copy, leaveOpen: true)))
        {
            writer.WriteStartArray();
            while (json.Read() && json.TokenType is JsonToken.StartObject)
            {
                writer.WriteToken(json);
                count++;
            }

            writer.WriteEndArray();
        }

        return new(copy.ToArray(), count);
    }
}
