using System.Globalization;
using EventSourcing;
using Microsoft.AspNetCore.Http;

namespace Functions.Http;

/// <summary>
/// Read your own writes: a command answers with its stream and sequence, <c>order-…@7</c>; a query that sends it back
/// knows how far its view must have come.
/// </summary>
readonly record struct ConsistencyToken(StreamId Stream, long Sequence)
{
    public const string Header = "X-Consistency-Token";

    static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(10);

    public static ConsistencyToken? Of(HttpRequest request)
    {
        var values = request.Headers[Header];
        if (values.Count == 0) return null;
        return values is [{ Length: > 0 and <= 250 } text] && text.LastIndexOf('@') is > 0 and var at
            && StreamId.TryParse(text[..at], out var stream)
            && long.TryParse(text.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)
            ? new(stream, sequence)
            : throw new InvalidRequestException(
                "invalid-header", $"{Header} is a token as a command answered it: order-…@7.");
    }

    /// <summary>How long the caller is ready to wait: <c>Prefer: wait=2</c>, in seconds (RFC 7240).</summary>
    public static TimeSpan WaitOf(HttpRequest request)
    {
        foreach (var preference in request.Headers["Prefer"].SelectMany(
            p => (p ?? "").Split(',', StringSplitOptions.TrimEntries)))
        {
            if (preference.StartsWith("wait=", StringComparison.OrdinalIgnoreCase)
                && int.TryParse(preference.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
                return TimeSpan.FromSeconds(Math.Min(seconds, WaitMax.TotalSeconds));
        }

        return TimeSpan.Zero;
    }

    public override string ToString() => $"{Stream}@{Sequence.ToString(CultureInfo.InvariantCulture)}";
}
