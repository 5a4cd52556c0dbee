using System.Collections;
using System.Reflection;
using Microsoft.Extensions.Logging;
using Runtime.Messaging;

namespace Runtime.Worker;

/// <summary>What an application gets that runs by itself: its functions, files beside it, the environment.</summary>
static class Standalone
{
    const string Urls = "FUNCTIONS_URLS";
    const string DefaultUrl = "http://127.0.0.1:7071";
    const string DurableFileSetting = "Local:DurableFile";
    const string DefaultDurableFile = ".local/durable.db";
    const string MessagingFileSetting = "Local:MessagingFile";
    const string DefaultMessagingFile = ".local/messaging.db";
    const string MessagingTopology = "topology/messaging.json";
    const string MessagingNamespace = "localhost";

    public static FunctionsHostOptions Options(string[] args) => Options(
        Assembly.GetEntryAssembly() ?? throw new FunctionsRefusedException("There is no entry assembly."),
        [AppContext.BaseDirectory, Directory.GetCurrentDirectory()],
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Select(variable => KeyValuePair.Create((string)variable.Key, (string?)variable.Value ?? "")),
        args);

    /// <param name="assembly">Where the functions are.</param>
    /// <param name="folders">Where host.json and local.settings.json may be, the first one first.</param>
    /// <param name="environment">What wins over the file.</param>
    /// <param name="args">What wins over both, as --NAME=value.</param>
    public static FunctionsHostOptions Options(
        Assembly assembly, IReadOnlyList<string> folders, IEnumerable<KeyValuePair<string, string>> environment,
        string[] args)
    {
        var settings = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (Find("local.settings.json", folders) is { } file)
        {
            Merge(settings, LocalSettings.Read(file));
        }

        Merge(settings, environment);
        Merge(settings, Arguments(args));
        var broker = OpenBroker(settings, folders);
        var url = settings.GetValueOrDefault(Urls) is { Length: > 0 } given ? given : DefaultUrl;
        return new()
        {
            Assemblies = [assembly],
            Settings = settings,
            HostJson = Find("host.json", folders),
            DurableFile = StateFile(settings, DurableFileSetting, DefaultDurableFile),
            Listen = Uri.TryCreate(url, UriKind.Absolute, out var listen)
                ? listen
                : throw new FunctionsRefusedException($"{Urls} is '{url}', which is no address."),
            Configure = static _ => { },
            Triggers = broker is null ? [] : [new ServiceBusKind(broker), new EventHubKind(broker)],
            Outputs = broker is null ? [] : [new ServiceBusKind(broker), new EventHubKind(broker)],
            Logging = static logging => logging.AddSimpleConsole(console => console.SingleLine = true),
        };
    }

    static string? Find(string name, IEnumerable<string> folders) =>
        folders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    // The clients that the application makes from its settings find the broker by the name of its namespace. It lives
    // as long as the process, and what it has acknowledged is in its file whichever way that ends.
    static MessageBroker? OpenBroker(Dictionary<string, string> settings, IReadOnlyList<string> folders) =>
        Find(MessagingTopology, folders) is { } topology
            ? MessageBroker.Open(
                new()
                {
                    File = StateFile(settings, MessagingFileSetting, DefaultMessagingFile),
                    Namespace = MessagingNamespace,
                },
                Runtime.Messaging.MessagingTopology.Load(topology))
            : null;

    // What was promised to a caller must be there again after a restart.
    static string StateFile(Dictionary<string, string> settings, string setting, string otherwise)
    {
        var file = Path.GetFullPath(settings.GetValueOrDefault(setting) is { Length: > 0 } given ? given : otherwise);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        return file;
    }

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
