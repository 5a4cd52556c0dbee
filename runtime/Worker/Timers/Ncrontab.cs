using System.Globalization;
using System.Numerics;

namespace Runtime.Worker;

/// <summary>An NCRONTAB expression: second, minute, hour, day, month, day of week; five lack the second.</summary>
/// <remarks>Each field is a bit set. Day and day of week must both fit, as in the NCrontab library that Azure uses
/// (classic cron would let either fit).</remarks>
sealed class Ncrontab
{
    // 29 February on one given weekday comes back within 40 years even across 2100; what is later never comes.
    const int YearsMax = 40;

    static readonly (string Name, int Min, int Max, string[] Names)[] fields =
    [
        ("second", 0, 59, []),
        ("minute", 0, 59, []),
        ("hour", 0, 23, []),
        ("day", 1, 31, []),
        ("month", 1, 12, ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
        ("day of week", 0, 6, ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
    ];

    readonly ulong[] sets;

    Ncrontab(ulong[] sets) => this.sets = sets;

    /// <exception cref="FormatException">The text is no such expression; the message says where.</exception>
    public static Ncrontab Parse(string text)
    {
        var parts = text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (parts.Length is not (5 or 6))
        {
            throw new FormatException(
                $"'{text}' has {parts.Length} fields; a schedule has six (or five without seconds).");
        }

        var sets = new ulong[fields.Length];
        sets[0] = 1;
        for (var i = 0; i < parts.Length; i++)
        {
            var field = i + fields.Length - parts.Length;
            sets[field] = Set(parts[i], field);
        }

        return new(sets);
    }

    /// <summary>The first fitting time after this one, by the same wall clock; null when there is none.</summary>
    public DateTime? After(DateTime time)
    {
        var next = time.AddTicks(TimeSpan.TicksPerSecond - (time.Ticks % TimeSpan.TicksPerSecond));
        var last = Math.Min(DateTime.MaxValue.Year - 1, time.Year + YearsMax);

        // Each step moves to the start of the next candidate of the coarsest field that does not fit.
        while (next.Year <= last)
        {
            if (!Fits(4, next.Month))
            {
                next = new DateTime(next.Year, next.Month, 1, 0, 0, 0, next.Kind).AddMonths(1);
            }
            else if (!Fits(3, next.Day) || !Fits(5, (int)next.DayOfWeek))
            {
                next = next.Date.AddDays(1);
            }
            else if (!Fits(2, next.Hour))
            {
                next = next.Date.AddHours(next.Hour + 1);
            }
            else if (!Fits(1, next.Minute))
            {
                next = next.Date.AddHours(next.Hour).AddMinutes(next.Minute + 1);
            }
            else if (!Fits(0, next.Second))
            {
                next = next.AddSeconds(NextBit(0, next.Second) - next.Second);
            }
            else
            {
                return next;
            }
        }

        return null;
    }

    bool Fits(int field, int value) => (sets[field] >> value & 1) != 0;

    // The next second that fits, or the next full minute.
    int NextBit(int field, int value)
    {
        var above = sets[field] & ~((1UL << value) - 1);
        return above == 0 ? fields[field].Max + 1 : BitOperations.TrailingZeroCount(above);
    }

    static ulong Set(string text, int field)
    {
        var set = 0UL;
        foreach (var item in text.Split(','))
        {
            var (range, step) = item.Split('/') switch
            {
                [var only] => (only, 1),
                [var first, var every] when Number(every) is > 0 and var n => (first, n),
                _ => throw Malformed(item, field),
            };
            var (from, to) = Range(range, field, stepped: item.Contains('/', StringComparison.Ordinal));
            for (var value = from; value <= to; value += step)
            {
                set |= 1UL << value;
            }
        }

        return set;
    }

    static (int From, int To) Range(string text, int field, bool stepped)
    {
        var (_, min, max, _) = fields[field];
        if (text == "*")
        {
            return (min, max);
        }

        var ends = text.Split('-');
        var from = Value(ends[0], field);
        var to = ends.Length == 2 ? Value(ends[1], field) : stepped ? max : from;
        return ends.Length <= 2 && from <= to ? (from, to) : throw Malformed(text, field);
    }

    static int Value(string text, int field)
    {
        var (_, min, max, names) = fields[field];
        var named = Array.FindIndex(names, name => text.StartsWith(name, StringComparison.OrdinalIgnoreCase));
        if (named >= 0)
        {
            return named + min;
        }

        return Number(text) is { } value && value >= min && value <= max ? value : throw Malformed(text, field);
    }

    static int? Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;

    static FormatException Malformed(string text, int field)
    {
        var (name, min, max, _) = fields[field];
        return new($"'{text}' is not a {name} ({min}-{max}, with '*', '-', ',' and '/').");
    }
}
