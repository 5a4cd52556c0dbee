namespace Benchmarks;

/// <summary>What <c>dotnet run -c Release --project benchmarks</c> takes.</summary>
static class CommandLine
{
    public static async Task<int> RunAsync(string[] args)
    {
        using var stop = new CancellationTokenSource();
        Console.CancelKeyPress += (_, pressed) =>
        {
            pressed.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        };
        if (args.Length == 0 || args.Any(a => a is "--help" or "-h"))
        {
            Console.WriteLine(Help());
            return 0;
        }

        var options = args.Where(a => a.StartsWith('-')).ToList();
        var names = args.Except(options).ToList();
        var areas = names is ["all"] ? Area.All : [.. Area.All.Where(area => names.Contains(area.Name))];
        if (options.Except(["--json", "--quick", "--save"]).FirstOrDefault() is { } unknown)
            return Misused($"\"{unknown}\" is no option.");
        if (areas.Count == 0 || (names is not ["all"] && areas.Count != names.Count))
            return Misused($"\"{string.Join(' ', names)}\" names no area.");
        if (options.Contains("--save") && options.Contains("--quick"))
            return Misused("A quick run is not worth keeping: --save without --quick.");

        try
        {
            foreach (var area in areas) await RunAsync(area, options, stop.Token);
            return 0;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return 130;
        }
    }

    static async Task RunAsync(Area area, List<string> options, CancellationToken stop)
    {
        var (run, machine) = (new Run(options.Contains("--quick"), stop), Machine.Here());
        await area.MeasureAsync(run);
        var report = new Report(area, machine, TimeProvider.System.GetUtcNow(), run.Tables);
        Console.WriteLine(options.Contains("--json") ? report.ToJson() : report.ToMarkdown());
        if (options.Contains("--save")) await Results.SaveAsync(report, stop);
    }

    static string Help() => $"""
        Measures what this repository does, on this machine. Numbers are for reading; tests assert none of them.

          dotnet run -c Release --project benchmarks -- AREA... [OPTIONS]

        Areas
        {string.Join('\n', Area.All.Select(area => $"  {area.Name,-12}{area.What}"))}
          all         every one of them

        Options
          --json      prints JSON for machines instead of Markdown
          --quick     a smoke test of some seconds: everything runs, no number is worth quoting
          --save      keeps the result as the area's section of {Path.GetFileName(Results.File)}
        """;

    static int Misused(string why)
    {
        Console.Error.WriteLine(why);
        Console.Error.WriteLine("Try --help.");
        return 2;
    }
}
