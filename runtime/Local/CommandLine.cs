using Microsoft.Extensions.Logging;

namespace Runtime.Local;

/// <summary>What <c>dotnet run --project runtime/Local</c> takes.</summary>
static class CommandLine
{
    const string Help = """
        The order business on this machine: no Docker, no Azure account, no network.

          dotnet run --project runtime/Local [-- COMMAND] [OPTIONS]

        Commands
          serve       keeps the system up until Ctrl+C, its state in a folder (the default)
          demo        places orders that end well and badly, shows what happened and checks it
          simulate    runs many orders while things go wrong at every layer, then checks every book
          export FILE takes all events of a folder out into one file, and goes on with a file that was torn
          import FILE checks a file of events and stores it in a folder that has none, then compares

        Options of serve
          --port N    the port on 127.0.0.1 (7071)
          --data DIR  the folder of the state (.local)

        Options of demo
          --json      prints the result as JSON only

        Options of simulate
          --orders N  how many orders (1000)
          --seed S    which orders, and what goes wrong (1)
          --faults F  all or none (all)
          --workflow W  orchestration, choreography or both (both)

        Options of export and import
          --data DIR  the folder of the state (.local); nothing else may be using it
          --keys FILE the keys of personal text, in a file of their own: without them nothing opens it elsewhere
          --resume    import alone: goes on with an import that was interrupted

        demo and simulate end with code 0 only when everything they expected was found, export and import only when
        all is done: 1 says what was refused, 2 that the line was misunderstood, 130 that it was interrupted.
        A file of keys opens everything, also for whom is forgotten later: keep it apart from the events, and shorter.
        """;

    public static async Task<int> RunAsync(string[] args)
    {
        using var stop = new CancellationTokenSource();
        Console.CancelKeyPress += (_, pressed) =>
        {
            // The first Ctrl+C stops cleanly, a second one at once.
            pressed.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        };
        using var terminated = System.Runtime.InteropServices.PosixSignalRegistration.Create(
            System.Runtime.InteropServices.PosixSignal.SIGTERM,
            signal =>
            {
                signal.Cancel = true;
                stop.Cancel();
            });

        if (args.Any(a => a is "--help" or "-h" or "help"))
        {
            Console.WriteLine(Help);
            return 0;
        }

        try
        {
            return args switch
            {
                ["demo"] => await Demo.RunAsync(json: false, stop.Token),
                ["demo", "--json"] => await Demo.RunAsync(json: true, stop.Token),
                ["simulate", .. var options] => await SimulateAsync(options, stop.Token),
                ["export" or "import", .. var rest] => await BackupAsync(args[0], rest, stop.Token),
                ["serve", .. var options] => await ServeAsync(options, stop.Token),
                [] or [['-', '-', ..], ..] => await ServeAsync(args, stop.Token),
                _ => Misused($"\"{string.Join(' ', args)}\" is no command of this program."),
            };
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return 130;
        }
    }

    static async Task<int> ServeAsync(string[] options, CancellationToken stop)
    {
        var (port, folder) = (7071, ".local");
        for (var i = 0; i < options.Length; i += 2)
        {
            switch (options[i..])
            {
                case ["--port", var text, ..] when ushort.TryParse(text, out var number):
                    port = number;
                    break;
                case ["--data", { Length: > 0 } path, ..]:
                    folder = path;
                    break;
                default:
                    return Misused($"\"{options[i]}\" is no option of serve, or its value is missing or wrong.");
            }
        }

        return await Serve.RunAsync(port, Path.GetFullPath(folder), stop);
    }

    static async Task<int> SimulateAsync(string[] options, CancellationToken stop)
    {
        var plan = new SimulationPlan();
        for (var i = 0; i < options.Length; i += 2)
        {
            switch (options[i..])
            {
                case ["--orders", var text, ..]
                    when int.TryParse(text, out var orders) && orders is >= 1 and <= SimulationPlan.OrdersMax:
                    plan = plan with { Orders = orders };
                    break;
                case ["--seed", var text, ..] when int.TryParse(text, out var seed):
                    plan = plan with { Seed = seed };
                    break;
                case ["--faults", "all" or "none", ..]:
                    plan = plan with { Faults = options[i + 1] == "all" };
                    break;
                case ["--workflow", var workflow, ..] when SimulationPlan.Workflows.Contains(workflow):
                    plan = plan with { Workflow = workflow };
                    break;
                default:
                    return Misused($"\"{options[i]}\" is no option of simulate, or its value is missing or wrong.");
            }
        }

        return await Simulate.RunAsync(plan, stop);
    }

    static async Task<int> BackupAsync(string command, string[] rest, CancellationToken stop)
    {
        if (rest is not [{ Length: > 0 } file, .. var options] || file[0] == '-')
            return Misused($"{command} takes a file.");
        var files = new BackupFiles(Path.GetFullPath(file), Path.GetFullPath(".local"));
        for (var i = 0; i < options.Length; i++)
        {
            switch (options[i..])
            {
                case ["--data", { Length: > 0 } path, ..]:
                    files = files with { Folder = Path.GetFullPath(path) };
                    i++;
                    break;
                case ["--keys", { Length: > 0 } path, ..] when path[0] != '-':
                    files = files with { Keys = Path.GetFullPath(path) };
                    i++;
                    break;
                case ["--resume", ..] when command == "import":
                    files = files with { Resume = true };
                    break;
                default:
                    return Misused($"\"{options[i]}\" is no option of {command}, or its value is missing.");
            }
        }

        return command == "export"
            ? await FolderBackup.ExportAsync(files, Console.Error, stop)
            : await FolderBackup.ImportAsync(files, Console.Error, stop);
    }

    static int Misused(string why)
    {
        Console.Error.WriteLine(why);
        Console.Error.WriteLine("Try --help.");
        return 2;
    }

    /// <summary>Warnings and errors on the error stream, one line each.</summary>
    public static void LogToConsole(ILoggingBuilder logging) => logging
        // host.json asks for more of the functions' own log than a person at a console wants to read.
        .AddFilter<Microsoft.Extensions.Logging.Console.ConsoleLoggerProvider>(null, LogLevel.Warning)

        // A host that can not start throws, and whoever started it says so in a sentence.
        .AddFilter<Microsoft.Extensions.Logging.Console.ConsoleLoggerProvider>(
            "Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None)
        .AddSimpleConsole(console => console.SingleLine = true)
        .AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
}
