using System.Globalization;
using Runtime.Cosmos.Http;

namespace Runtime.Cosmos.Query;

/// <content>Functions of instants, written as ISO 8601 in UTC with seven digits of a second.</content>
static partial class Functions
{
    const string IsoFormat = "yyyy-MM-ddTHH:mm:ss.fffffffZ";

    static void AddDates()
    {
        // Now would make one page of a query differ from the next and a test from its repetition.
        foreach (var name in new[] { "GETCURRENTDATETIME", "GETCURRENTTICKS", "GETCURRENTTIMESTAMP",
            "GETCURRENTDATETIMESTATIC", "GETCURRENTTICKSSTATIC", "GETCURRENTTIMESTAMPSTATIC" })
        {
            Add(name, 0, 0, _ => throw Refused.Unsupported($"The function {name} (give the time as a parameter)"));
        }

        Add("DATETIMEADD", 3, 3, arguments =>
            arguments is [{ IsString: true } part, { IsNumber: true } amount, { IsString: true } text] &&
            Instant(text.Text) is { } instant && Moved(instant, part.Text, amount.Number) is { } moved
                ? Text(moved)
                : Value.Undefined);
        Add("DATETIMEDIFF", 3, 3, arguments =>
            arguments is [{ IsString: true } part, { IsString: true } from, { IsString: true } to] &&
            Instant(from.Text) is { } start && Instant(to.Text) is { } end
                ? Difference(part.Text, start, end)
                : Value.Undefined);
        Add("DATETIMEPART", 2, 2, arguments =>
            arguments is [{ IsString: true } part, { IsString: true } text] && Instant(text.Text) is { } instant
                ? Part(part.Text, instant)
                : Value.Undefined);
        AddText("DATETIMETOTICKS", text => Instant(text) is { } instant
            ? Value.Of((double)(instant - DateTime.UnixEpoch).Ticks)
            : Value.Undefined);
        AddText("DATETIMETOTIMESTAMP", text => Instant(text) is { } instant
            ? Value.Of(Math.Floor((instant - DateTime.UnixEpoch).TotalMilliseconds))
            : Value.Undefined);
        Add("TICKSTODATETIME", 1, 1, arguments => FromTicks(arguments[0], 1));
        Add("TIMESTAMPTODATETIME", 1, 1, arguments => FromTicks(arguments[0], TimeSpan.TicksPerMillisecond));
    }

    static DateTime? Instant(string text) => DateTime.TryParse(
        text, CultureInfo.InvariantCulture,
        DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out var instant)
        ? instant
        : null;

    static Value Text(DateTime instant) => Value.Of(instant.ToString(IsoFormat, CultureInfo.InvariantCulture));

    static Value FromTicks(Value value, long scale)
    {
        if (!value.IsNumber)
        {
            return Value.Undefined;
        }

        var ticks = (value.Number * scale) + DateTime.UnixEpoch.Ticks;
        return ticks >= 0 && ticks <= DateTime.MaxValue.Ticks
            ? Text(new DateTime((long)ticks, DateTimeKind.Utc))
            : Value.Undefined;
    }

    static DateTime? Moved(DateTime instant, string part, double amount)
    {
        try
        {
            return part.ToLowerInvariant() switch
            {
                "year" or "yyyy" or "yy" => instant.AddYears((int)amount),
                "month" or "mm" or "m" => instant.AddMonths((int)amount),
                "day" or "dd" or "d" => instant.AddDays(amount),
                "hour" or "hh" => instant.AddHours(amount),
                "minute" or "mi" or "n" => instant.AddMinutes(amount),
                "second" or "ss" or "s" => instant.AddSeconds(amount),
                "millisecond" or "ms" => instant.AddMilliseconds(amount),
                _ => null,
            };
        }
        catch (ArgumentOutOfRangeException)
        {
            // Beyond the calendar there is no instant.
            return null;
        }
    }

    static Value Difference(string part, DateTime start, DateTime end)
    {
        var span = end - start;
        return part.ToLowerInvariant() switch
        {
            "year" or "yyyy" or "yy" => Value.Of((double)(end.Year - start.Year)),
            "month" or "mm" or "m" => Value.Of((double)(((end.Year - start.Year) * 12) + end.Month - start.Month)),
            "day" or "dd" or "d" => Value.Of((end.Date - start.Date).TotalDays),
            "hour" or "hh" => Value.Of(Math.Floor(span.TotalHours)),
            "minute" or "mi" or "n" => Value.Of(Math.Floor(span.TotalMinutes)),
            "second" or "ss" or "s" => Value.Of(Math.Floor(span.TotalSeconds)),
            "millisecond" or "ms" => Value.Of(Math.Floor(span.TotalMilliseconds)),
            _ => Value.Undefined,
        };
    }

    static Value Part(string part, DateTime instant) => part.ToLowerInvariant() switch
    {
        "year" or "yyyy" or "yy" => Value.Of((double)instant.Year),
        "month" or "mm" or "m" => Value.Of((double)instant.Month),
        "day" or "dd" or "d" => Value.Of((double)instant.Day),
        "hour" or "hh" => Value.Of((double)instant.Hour),
        "minute" or "mi" or "n" => Value.Of((double)instant.Minute),
        "second" or "ss" or "s" => Value.Of((double)instant.Second),
        "millisecond" or "ms" => Value.Of((double)instant.Millisecond),
        _ => Value.Undefined,
    };
}
