using System.Text;
using System.Text.Json;
using Runtime.Cosmos.Http;

namespace Runtime.Cosmos.Storage;

/// <summary>A path such as <c>/customer/id</c> or <c>/"odd name"</c> from a container's definition.</summary>
sealed class PropertyPath
{
    readonly byte[][] names;

    PropertyPath(string text, string[] segments)
    {
        (Text, Segments) = (text, segments);
        names = [.. segments.Select(Encoding.UTF8.GetBytes)];
    }

    public string Text { get; }

    public IReadOnlyList<string> Segments { get; }

    /// <summary>One spelling per path, however its names were quoted.</summary>
    public string CanonicalText => Canonical(Segments);

    public static string Canonical(IEnumerable<string> segments) =>
        string.Concat(segments.Select(segment => $"/\"{segment.Replace("\"", "\\\"", StringComparison.Ordinal)}\""));

    public static PropertyPath Parse(string text) => new(text, Split(text));

    public bool TryFind(JsonElement document, out JsonElement value)
    {
        value = document;
        foreach (var name in names)
        {
            if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty(name, out value))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Cuts a path into its names; quoted names may hold slashes and escaped quotes.</summary>
    public static string[] Split(string text)
    {
        var segments = new List<string>();
        for (var at = 0; at < text.Length;)
        {
            if (text[at] != '/' || at + 1 == text.Length)
            {
                throw Refused.BadRequest($"The path '{text}' is not valid: it must be of the form /name/name.");
            }

            at++;
            segments.Add(text[at] == '"' ? Quoted(text, ref at) : Plain(text, ref at));
        }

        return segments.Count > 0 ? [.. segments] : throw Refused.BadRequest("A path must not be empty.");
    }

    static string Plain(string text, ref int at)
    {
        var end = text.IndexOf('/', at);
        var segment = end < 0 ? text[at..] : text[at..end];
        at += segment.Length;
        return segment;
    }

    static string Quoted(string text, ref int at)
    {
        var segment = new StringBuilder();
        for (at++; at < text.Length && text[at] != '"'; at++)
        {
            segment.Append(text[at] == '\\' && at + 1 < text.Length ? text[++at] : text[at]);
        }

        if (at++ >= text.Length)
        {
            throw Refused.BadRequest($"The path '{text}' has a quotation mark that is never closed.");
        }

        return segment.ToString();
    }
}
