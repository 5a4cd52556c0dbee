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
    public static async Task<ChangeBatch> ReadAsync(Stream page, CancellationToken cancellation)
    {
        using var json = new JsonTextReader(new StreamReader(page));
        while (await json.ReadAsync(cancellation))
        {
            if (json is { TokenType: JsonToken.PropertyName, Depth: 1, Value: "Documents" })
            {
                await json.ReadAsync(cancellation);
                return await CopyAsync(json, cancellation);
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

    static async Task<ChangeBatch> CopyAsync(JsonTextReader json, CancellationToken cancellation)
    {
        var copy = new MemoryStream();
        var count = 0;
        await using (var writer = new JsonTextWriter(new StreamWriter(copy, leaveOpen: true)))
        {
            await writer.WriteStartArrayAsync(cancellation);
            while (await json.ReadAsync(cancellation) && json.TokenType is JsonToken.StartObject)
            {
                await writer.WriteTokenAsync(json, cancellation);
                count++;
            }

            await writer.WriteEndArrayAsync(cancellation);
        }

        return new(copy.ToArray(), count);
    }
}
