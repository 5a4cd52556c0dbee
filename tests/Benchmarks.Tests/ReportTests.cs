using System.Text.Json;

namespace Benchmarks.Tests;

/// <summary>What a run prints and keeps; the numbers themselves are for reading.</summary>
public sealed class ReportTests
{
    [Fact]
    public void An_area_replaces_its_own_section_and_no_other()
    {
        const string text = "# Results\n\nWords.\n\n## events\n\nold\n\n### Appends\n\nold\n\n## views\n\nkept\n";
        Assert.Equal(
            "# Results\n\nWords.\n\n## events\n\nnew\n\n## views\n\nkept\n",
            Results.With(text, "events", "## events\n\nnew\n"));
        Assert.Equal(
            "# Results\n\nWords.\n\n## events\n\nold\n\n### Appends\n\nold\n\n## views\n\nnew\n",
            Results.With(text, "views", "## views\n\nnew\n"));
        Assert.Equal(text + "\n## cosmos\n\nfirst\n", Results.With(text, "cosmos", "## cosmos\n\nfirst\n"));
    }

    [Fact]
    public void Saving_twice_is_saving_once()
    {
        var once = Results.With(File.ReadAllText(Results.File), "events", "## events\n\nnew\n");
        Assert.Equal(once, Results.With(once, "events", "## events\n\nnew\n"));
    }

    [Fact]
    public void Numbers_line_up_in_Markdown_and_stay_numbers_in_JSON()
    {
        var table = new Table("Appends", ["Store", "Appends/s", "p50"]) { Note = "One sentence." };
        table.Row("in memory", 12345.6, TimeSpan.FromMilliseconds(0.25));
        table.Row("Cosmos", 7, TimeSpan.FromMilliseconds(12.34));
        var report = new Report(
            new("events", "what", _ => Task.CompletedTask),
            new("Some CPU", 2, 8, "Linux", ".NET", null),
            new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero),
            [table]);

        Assert.Equal(
            """
            ## events

            `events`, 2026-03-01: 2 cores of Some CPU, 8 GB, Linux, .NET.

            ### Appends

            | Store | Appends/s | p50 |
            | --- | --: | --: |
            | in memory | 12,346 | 0.25 ms |
            | Cosmos | 7 | 12.3 ms |

            One sentence.

            """,
            report.ToMarkdown());
        using var json = JsonDocument.Parse(report.ToJson());
        var row = json.RootElement.GetProperty("tables")[0].GetProperty("rows")[0];
        Assert.Equal(12345.6, row[1].GetDouble());
        Assert.Throws<ArgumentException>(() => table.Row("too", "few"));
    }

    [Theory]
    [InlineData("nothing-like-it")]
    [InlineData("events", "--fast")]
    [InlineData("events", "views-of-nobody")]
    [InlineData("--json")]
    [InlineData("events", "--quick", "--save")]
    public async Task A_line_that_makes_no_sense_is_refused_and_nothing_is_measured(params string[] args) =>
        Assert.Equal(2, await CommandLine.RunAsync(args));

    [Fact]
    public async Task Work_is_repeated_by_every_worker_until_the_time_is_up()
    {
        var done = new int[3];
        var rate = await Measure.RateAsync(
            3, TimeSpan.FromMilliseconds(20), worker => Task.FromResult(Interlocked.Increment(ref done[worker])),
            default);
        Assert.All(done, times => Assert.True(times > 1));
        Assert.InRange(rate.Count, 3, done.Sum());
        Assert.True(rate.P50 <= rate.P99);
    }
}
