using System.Collections;
using System.Reflection;
using Microsoft.Extensions.Logging;

namespace Runtime.Worker;

/// <summary>What an application gets that runs by itself: its own functions, files beside it, the environment.</summary>
static class Standalone
{
    const string Urls = "FUNCTIONS_URLS";
    const string DefaultUrl = "http://127.0.0.1:7071";

    public static FunctionsHostOptions Options(string[] args)
    {
        var settings = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (Find("local.settings.json") is { } file)
        {
            Merge(settings, LocalSettings.Read(file));
        }

        // As with the Core Tools: what the environment says wins over the file, the command line over both.
        Merge(settings, Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Select(variable => KeyValuePair.Create((string)variable.Key, (string?)variable.Value ?? "")));
        Merge(settings, Arguments(args));

        var url = settings.GetValueOrDefault(Urls) is { Length: > 0 } given ? given : DefaultUrl;
        return new()
        {
            Assemblies = [Assembly.GetEntryAssembly() ?? throw new FunctionsRefusedException("There is no entry assembly.")],
            Settings = settings,
            HostJson = Find("host.json"),
            Listen = Uri.TryCreate(url, UriKind.Absolute, out var listen)
                ? listen
                : throw new FunctionsRefusedException($"{Urls} is '{url}', which is no address."),
            Configure = static _ => { },
            Logging = static logging => logging.AddSimpleConsole(console => console.SingleLine = true),
        };
    }

    // Beside the binary first: that is where a build puts them.
    static string? Find(string name) =>
        new[] { AppContext.BaseDirectory, Directory.GetCurrentDirectory() }
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);

    static IEnumerable<KeyValuePair<string, string>> Arguments(string[] args) =>
        args.Where(arg => arg.StartsWith("--", StringComparison.Ordinal) && arg.Contains('=', StringComparison.Ordinal))
            .Select(arg => arg[2..].Split('=', 2))
            .Select(pair => KeyValuePair.Create(pair[0], pair[1]));

    static void Merge(Dictionary<string, string> settings, IEnumerable<KeyValuePair<string, string>> more)
    {
        foreach (var (name, value) in more)
        {
            settings[name] = value;
        }
    }
}
