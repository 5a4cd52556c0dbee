using System.Globalization;

namespace Runtime.Worker.Tests;

public sealed class NcrontabTests
{
    [Theory]
    [InlineData("0 */5 * * * *", "2026-01-01 00:00:00", "2026-01-01 00:05:00")]
    [InlineData("0 */5 * * * *", "2026-01-01 00:04:59", "2026-01-01 00:05:00")]
    [InlineData("*/5 * * * *", "2026-01-01 00:00:30", "2026-01-01 00:05:00")]
    [InlineData("* * * * * *", "2026-01-01 00:00:00", "2026-01-01 00:00:01")]
    [InlineData("10,40 * * * * *", "2026-01-01 00:00:10", "2026-01-01 00:00:40")]
    [InlineData("10,40 * * * * *", "2026-01-01 00:00:40", "2026-01-01 00:01:10")]
    [InlineData("0 0 9-17 * * MON-FRI", "2026-01-02 17:00:00", "2026-01-05 09:00:00")]
    [InlineData("0 30 9 * jan,Jul *", "2026-02-01 00:00:00", "2026-07-01 09:30:00")]
    [InlineData("0 0 0 31 * *", "2026-01-31 00:00:00", "2026-03-31 00:00:00")]
    [InlineData("0 0 0 29 2 *", "2026-01-01 00:00:00", "2028-02-29 00:00:00")]
    [InlineData("0 0 0 13 * 5", "2026-01-01 00:00:00", "2026-02-13 00:00:00")]
    [InlineData("5/20 * * * * *", "2026-01-01 00:00:25", "2026-01-01 00:00:45")]
    [InlineData("0 0 0 1 1 *", "2025-12-31 23:59:59", "2026-01-01 00:00:00")]
    [InlineData("59 59 23 31 12 *", "2026-12-31 23:59:59", "2027-12-31 23:59:59")]
    [InlineData("0 0 0 * * Sunday", "2026-01-01 00:00:00", "2026-01-04 00:00:00")]
    public void The_next_occurrence_is_found(string pattern, string after, string next) =>
        Assert.Equal(Time(next), Ncrontab.Parse(pattern).After(Time(after)));

    [Fact]
    public void A_day_that_never_comes_has_no_occurrence() =>
        Assert.Null(Ncrontab.Parse("0 0 0 30 2 *").After(Time("2026-01-01 00:00:00")));

    [Theory]
    [InlineData("* * * *", "4 fields")]
    [InlineData("60 * * * * *", "'60' is not a second")]
    [InlineData("0 60 * * * *", "'60' is not a minute")]
    [InlineData("0 0 24 * * *", "'24' is not a hour")]
    [InlineData("0 0 0 0 * *", "'0' is not a day")]
    [InlineData("0 0 0 * 13 *", "'13' is not a month")]
    [InlineData("0 0 0 * * 7", "'7' is not a day of week")]
    [InlineData("0 0 0 * * wet", "'wet' is not a day of week")]
    [InlineData("*/0 * * * * *", "'*/0' is not a second")]
    [InlineData("5-1 * * * * *", "'5-1' is not a second")]
    [InlineData("1-2-3 * * * * *", "'1-2-3' is not a second")]
    [InlineData("-1 * * * * *", "'' is not a second")]
    [InlineData(", * * * * *", "'' is not a second")]
    [InlineData("0 99999999999999999999 * * * *", "is not a minute")]
    public void What_is_no_schedule_says_where(string pattern, string reason) =>
        Assert.Contains(
            reason, Assert.Throws<FormatException>(() => Ncrontab.Parse(pattern)).Message, StringComparison.Ordinal);

    [Fact]
    public void Every_occurrence_of_a_random_schedule_fits_and_none_in_between_does()
    {
        const int seed = 20260101;
        var random = new Random(seed);
        for (var round = 0; round < 200; round++)
        {
            int? hour = random.Next(2) == 0 ? null : random.Next(24);
            var (second, minute) = (random.Next(60), random.Next(60));
            var pattern = $"{second} {minute} {hour?.ToString(CultureInfo.InvariantCulture) ?? "*"} * * *";
            var start = Time("2026-01-01 00:00:00").AddSeconds(random.Next(86_400));

            var expected = Enumerable.Range(1, 2 * 86_400).Select(s => start.AddSeconds(s)).First(time =>
                time.Second == second && time.Minute == minute && time.Hour == (hour ?? time.Hour));
            Assert.True(
                expected == Ncrontab.Parse(pattern).After(start),
                $"seed {seed}, round {round}: '{pattern}' after {start:s}");
        }
    }

    [Theory]
    [InlineData("0 30 2 * * *", "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z")] // 02:30 is skipped: the end of the gap
    [InlineData("0 30 2 * * *", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z")]
    [InlineData("0 30 2 * * *", "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z")] // 02:30 comes twice: the first counts
    [InlineData("0 30 2 * * *", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z")]
    public void Clocks_that_are_changed_neither_lose_nor_double_an_occurrence(string pattern, string after, string next)
    {
        var schedule = Schedule.Parse(pattern, TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin"));

        Assert.Equal(
            DateTimeOffset.Parse(next, CultureInfo.InvariantCulture),
            schedule.After(DateTimeOffset.Parse(after, CultureInfo.InvariantCulture)));
    }

    static DateTime Time(string text) => DateTime.Parse(text, CultureInfo.InvariantCulture);
}
