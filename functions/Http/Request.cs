using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using EventSourcing;
using Microsoft.AspNetCore.Http;

namespace Functions.Http;

/// <summary>Reads what comes from outside: bounded, strict, and refused with a code that says what is wrong.</summary>
static class Request
{
    const int BodyBytesMax = 64 * 1024;
    const int IdLengthMax = 100;
    const int LineLengthMax = 500;

    static readonly JsonSerializerOptions Strict = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        NumberHandling = JsonNumberHandling.Strict,
        AllowDuplicateProperties = false,
        MaxDepth = 16,
    };

    public static async Task<T> BodyAsync<T>(HttpRequest request, CancellationToken cancellation)
        where T : class
    {
        if (!request.HasJsonContentType())
            throw new InvalidRequestException(
                "unsupported-media-type", "Send application/json.", StatusCodes.Status415UnsupportedMediaType);

        var body = new byte[BodyBytesMax + 1];
        var length = await request.Body.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancellation);
        if (length > BodyBytesMax)
            throw new InvalidRequestException(
                "body-too-large", $"A request body has at most {BodyBytesMax} bytes.",
                StatusCodes.Status413PayloadTooLarge);

        try
        {
            return JsonSerializer.Deserialize<T>(body.AsSpan(0, length), Strict)
                ?? throw new InvalidRequestException("invalid-body", "The body is null.");
        }
        catch (JsonException malformed)
        {
            throw new InvalidRequestException("invalid-body", Explain(malformed));
        }
    }

    /// <summary>
    /// Who asks for a command and under which id. A client that may send a request twice gives an
    /// <c>Idempotency-Key</c>; without one the request is a command of its own.
    /// </summary>
    public static CommandContext Command(HttpRequest request, string? commandId = null)
    {
        commandId ??= Header(request, "Idempotency-Key") ?? Guid.CreateVersion7().ToString("N");
        var correlation = Header(request, "X-Correlation-Id") ?? commandId;
        return new(commandId, correlation, $"http-{request.Method.ToLowerInvariant()}", UserOf(request),
            IfMatch(request));
    }

    public static string RequiredHeader(HttpRequest request, string name) => Header(request, name)
        ?? throw new InvalidRequestException(
            "header-required", $"This request needs a header {name}, so that it can be sent again safely.");

    /// <summary>
    /// A value that passed the domain's own check, or the request is refused with the domain's words.
    /// </summary>
    public static T Valid<T>(bool ok, T value, Refusal? refusal) =>
        ok ? value : throw new InvalidRequestException(refusal!);

    [return: NotNull]
    public static T Required<T>([NotNull] T? value, string name) =>
        value ?? throw new InvalidRequestException("field-required", $"\"{name}\" is missing.");

    /// <summary>Who decides something, or why: an operator's words, kept with the decision.</summary>
    public static string Line(string? text, string name, string code = "invalid-word") =>
        Required(text, name) is { Length: > 0 and <= LineLengthMax } line
            ? line
            : throw new InvalidRequestException(code, $"{name} is 1 to {LineLengthMax} characters.");

    public static StreamId Stream(string text) => StreamId.TryParse(text, out var stream)
        ? stream
        : throw new InvalidRequestException("invalid-stream", "A stream is named category-id, such as order-….");

    public static int Limit(HttpRequest request, int normal = 20, int max = 100)
    {
        if (Query(request, "limit") is not { } text) return normal;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit >= 1
            && limit <= max
            ? limit
            : throw new InvalidRequestException("invalid-limit", $"limit is 1 to {max}.");
    }

    /// <summary>A query parameter, null when absent or empty; given twice, nobody knows which one is meant.</summary>
    public static string? Query(HttpRequest request, string name, int lengthMax = 200)
    {
        var values = request.Query[name];
        if (values.Count > 1) throw new InvalidRequestException("invalid-query", $"{name} is given once.");
        if (values is not [{ Length: > 0 } text]) return null;
        return text.Length <= lengthMax
            ? text
            : throw new InvalidRequestException("invalid-query", $"{name} has at most {lengthMax} characters.");
    }

    /// <summary>A query parameter that is true or false, null when absent.</summary>
    public static bool? Flag(HttpRequest request, string name, string code = "invalid-flag") =>
        Query(request, name) switch
        {
            null => null,
            "true" => true,
            "false" => false,
            _ => throw new InvalidRequestException(code, $"{name} is true or false."),
        };

    /// <summary>How old something is at least, in seconds; of any age when absent.</summary>
    public static TimeSpan OlderThan(HttpRequest request)
    {
        if (Query(request, "olderThan") is not { } text) return TimeSpan.Zero;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? TimeSpan.FromSeconds(seconds)
            : throw new InvalidRequestException("invalid-age", "olderThan is a number of seconds.");
    }

    /// <summary>
    /// A sequence in a stream, null when absent. An empty one is refused: the caller meant some moment, not now.
    /// </summary>
    public static long? Sequence(HttpRequest request, string name)
    {
        if (!request.Query.ContainsKey(name)) return null;
        return long.TryParse(
                Query(request, name), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)
            && sequence is >= 1 and <= AppendLimits.SequenceMax
            ? sequence
            : throw new InvalidRequestException(
                "invalid-sequence", $"{name} is a sequence, 1 to {AppendLimits.SequenceMax}.");
    }

    static string? Header(HttpRequest request, string name)
    {
        var values = request.Headers[name];
        if (values.Count == 0) return null;
        return values is [{ Length: >= 1 and <= IdLengthMax } text]
            && text.All(c => char.IsAsciiLetterOrDigit(c) || "-_.:".Contains(c))
            ? text
            : throw new InvalidRequestException(
                "invalid-header",
                $"{name} is given once, 1 to {IdLengthMax} letters, digits, dashes, dots, colons or underscores.");
    }

    /// <summary>
    /// The version of a stream, or of a view of it: behind a tilde that also says which build of the view.
    /// </summary>
    static long? IfMatch(HttpRequest request)
    {
        var values = request.Headers.IfMatch;
        if (values.Count == 0) return null;
        return values is [{ Length: > 2 } tag] && tag[0] == '"' && tag[^1] == '"'
            && long.TryParse(
                tag.AsSpan(1,
                    (tag.IndexOf('~', StringComparison.Ordinal) is > 0 and var end ? end : tag.Length - 1) - 1),
                NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)
            ? sequence
            : throw new InvalidRequestException(
                "invalid-header", "If-Match is one ETag as this API gave it, such as \"3\".");
    }

    /// <summary>The name App Service authentication vouches for; function keys alone name nobody.</summary>
    static string? UserOf(HttpRequest request) =>
        request.Headers["X-MS-CLIENT-PRINCIPAL-NAME"] is [{ Length: > 0 and <= 256 } name] ? name : null;

    static string Explain(JsonException malformed) => malformed.Path is { Length: > 0 } path
        ? $"The body is not what this request takes: see {path} at line {malformed.LineNumber + 1}. "
            + Reason(malformed.Message)
        : $"The body is not valid JSON at line {malformed.LineNumber + 1}.";

    // System.Text.Json names our types in these sentences; callers know JSON only.
    static string Reason(string message) => message.StartsWith("The JSON property", StringComparison.Ordinal)
        ? message[..(message.IndexOf("could not", StringComparison.Ordinal) is var cut and > 0 ? cut
            : message.Length)] + "is unknown here."
        : "The value is of another type.";
}
