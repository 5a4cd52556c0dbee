using System.Globalization;
using Commerce;
using Microsoft.Extensions.Configuration;

namespace Functions.Sagas;

/// <summary>What a team decides about its sagas without changing code.</summary>
public sealed record SagaSettings(long ApproveAbove, TimeSpan ApproveWithin, TimeSpan Retention)
{
    /// <summary>An order of more minor units than this waits for an approval, in whatever currency.</summary>
    public const string ApprovalAbove = "Approval:aboveMinorUnits";

    /// <summary>So many hours does it wait.</summary>
    public const string ApprovalHours = "Approval:withinHours";

    /// <summary>So many days after it was started a finished orchestration is kept.</summary>
    public const string RetentionDays = "Sagas:retentionDays";

    const long HoursMax = 24 * 365;
    const long DaysMax = 3650;

    /// <exception cref="InvalidOperationException">A setting is no number it can be: nothing starts then.</exception>
    public static SagaSettings Of(IConfiguration settings) => new(
        Number(ApprovalAbove, settings[ApprovalAbove], normal: long.MaxValue, max: long.MaxValue),
        TimeSpan.FromHours(Number(ApprovalHours, settings[ApprovalHours], normal: 72, HoursMax)),
        TimeSpan.FromDays(Number(RetentionDays, settings[RetentionDays], normal: 30, DaysMax)));

    /// <summary>How long an approval of this amount is waited for; null when it needs none.</summary>
    public TimeSpan? ApprovalOf(Money total) => total.MinorUnits > ApproveAbove ? ApproveWithin : null;

    static long Number(string name, string? text, long normal, long max)
    {
        if (string.IsNullOrEmpty(text)) return normal;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number >= 1 && number <= max
            ? number
            : throw new InvalidOperationException($"{name} is a number from 1 to {max}, not \"{text}\".");
    }
}
