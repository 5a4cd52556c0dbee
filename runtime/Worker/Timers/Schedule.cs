using System.Globalization;

namespace Runtime.Worker;

/// <summary>When a timer function is due next: by the calendar of a time zone, or after a fixed interval.</summary>
abstract record Schedule
{
    /// <summary>The first occurrence after this instant, or null when there is none any more.</summary>
    public abstract DateTimeOffset? After(DateTimeOffset instant);

    /// <exception cref="FormatException">The text is neither NCRONTAB nor a time span.</exception>
    public static Schedule Parse(string text, TimeZoneInfo zone)
    {
        // The same order as in Azure: "00:05:00" is no NCRONTAB, and no NCRONTAB is a time span.
        if (!text.Contains(' ', StringComparison.Ordinal) &&
            TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var interval))
        {
            return interval > TimeSpan.Zero
                ? new Every(interval)
                : throw new FormatException($"'{text}' must be positive.");
        }

        return new Calendar(text, Ncrontab.Parse(text), zone);
    }

    sealed record Every(TimeSpan Interval) : Schedule
    {
        public override DateTimeOffset? After(DateTimeOffset instant) => instant + Interval;

        public override string ToString() => $"every {Interval}";
    }

    sealed record Calendar(string Text, Ncrontab Pattern, TimeZoneInfo Zone) : Schedule
    {
        public override DateTimeOffset? After(DateTimeOffset instant)
        {
            var wall = TimeZoneInfo.ConvertTime(instant, Zone).DateTime;
            while (Pattern.After(wall) is { } next)
            {
                // An hour that the clocks skip never comes: its occurrence is at the end of the gap, never earlier
                // than now. An hour that comes twice counts once, the first time.
                var found = Instant(next);
                if (found > instant)
                {
                    return found;
                }

                wall = next;
            }

            return null;
        }

        DateTimeOffset Instant(DateTime wall)
        {
            while (Zone.IsInvalidTime(wall))
            {
                wall = wall.AddMinutes(1);
            }

            var offset = Zone.IsAmbiguousTime(wall)
                ? Zone.GetAmbiguousTimeOffsets(wall).Max()
                : Zone.GetUtcOffset(wall);
            return new DateTimeOffset(wall, offset).ToUniversalTime();
        }

        public override string ToString() => Zone == TimeZoneInfo.Utc ? Text : $"{Text} ({Zone.Id})";
    }
}
