using System.Diagnostics.CodeAnalysis;

namespace EventSourcing;

/// <summary>
/// Names one stream: a category and an id, written <c>order-7f3c…</c>. It is also the partition key of its events, so
/// it never holds a character that Cosmos DB forbids in ids.
/// </summary>
public readonly record struct StreamId
{
    public const int LengthMax = 200;

    const string Forbidden = "/\\?#";

    StreamId(string category, string id) => (Category, Id) = (category, id);

    public string Category { get; }

    public string Id { get; }

    /// <exception cref="ArgumentException">The name is empty, too long or holds a forbidden character.</exception>
    public static StreamId Of(string category, string id) =>
        Fault(category, id) is { } fault ? throw new ArgumentException(fault) : new(category, id);

    public static StreamId Of(string category, Guid id) => Of(category, id.ToString("D"));

    /// <summary>Splits at the first dash: <c>stock-blue-mug</c> is category <c>stock</c>, id <c>blue-mug</c>.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out StreamId stream)
    {
        var dash = text?.IndexOf('-', StringComparison.Ordinal) ?? -1;
        var valid = dash > 0 && Fault(text![..dash], text[(dash + 1)..]) is null;
        stream = valid ? new(text![..dash], text[(dash + 1)..]) : default;
        return valid;
    }

    public override string ToString() => $"{Category}-{Id}";

    static string? Fault(string category, string id)
    {
        if (category.Length == 0 || !category.All(char.IsAsciiLetterLower))
            return $"A stream category is lower-case letters only, not \"{category}\".";
        if (id.Length == 0) return "A stream id is not empty.";
        if (category.Length + 1 + id.Length > LengthMax) return $"A stream name has at most {LengthMax} characters.";
        if (id.Any(c => char.IsControl(c) || char.IsSurrogate(c) || Forbidden.Contains(c, StringComparison.Ordinal)))
            return $"A stream id has no control character and none of {Forbidden}.";
        return id[^1] == ' ' ? "A stream id does not end in a space." : null;
    }
}
