using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Runtime.Worker;

/// <summary>The parts of host.json that this host acts on; everything else is reported, never guessed.</summary>
sealed record HostJson
{
    // Sections that steer Azure's own machinery and mean nothing in one process.
    static readonly HashSet<string> azureOnly = new(StringComparer.OrdinalIgnoreCase)
    {
        "extensionBundle", "telemetryMode", "concurrency", "healthMonitor", "managedDependency", "watchDirectories",
        "watchFiles", "singleton", "aggregator", "$schema", "logging.applicationInsights", "logging.console",
        "logging.fileLoggingMode",
    };

    static readonly TimeSpan timeoutMax = TimeSpan.FromDays(24);

    public string RoutePrefix { get; private set; } = "api";

    /// <summary>Null for no bound, as in Azure on a dedicated plan.</summary>
    public int? ConcurrentRequestsMax { get; private set; }

    /// <summary>Running and queued requests together.</summary>
    public int? OutstandingRequestsMax { get; private set; }

    /// <summary>Azure's default for every plan but Consumption.</summary>
    public TimeSpan FunctionTimeout { get; private set; } = TimeSpan.FromMinutes(30);

    public IReadOnlyDictionary<string, LogLevel> LogLevels { get; private set; } = new Dictionary<string, LogLevel>();

    public IReadOnlyDictionary<string, JsonElement> Extensions { get; private set; } =
        new Dictionary<string, JsonElement>();

    /// <summary>What is written there and not acted on.</summary>
    public List<string> Unknown { get; } = [];

    public static HostJson Read(string? path)
    {
        if (path is null)
        {
            return new();
        }

        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(path), LocalSettings.Lenient);
            return Parse(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or IOException)
        {
            throw new FunctionsRefusedException($"'{path}' cannot be used: {e.Message}");
        }
    }

    static HostJson Parse(JsonElement root)
    {
        var host = new HostJson();
        var version = root.TryGetProperty("version", out var v) ? v.GetString() : null;
        if (version != "2.0")
        {
            throw new FormatException($"\"version\" must be \"2.0\", not '{version}'.");
        }

        foreach (var section in root.EnumerateObject().Where(section => section.Name != "version"))
        {
            switch (section.Name)
            {
                case "functionTimeout":
                    host.FunctionTimeout = Timeout(section.Value.GetString()!);
                    break;
                case "logging":
                    host.ReadLogging(section.Value);
                    break;
                case "extensions":
                    host.ReadExtensions(section.Value);
                    break;
                case var name when !azureOnly.Contains(name):
                    host.Unknown.Add(name);
                    break;
                default:
                    break;
            }
        }

        return host;
    }

    void ReadLogging(JsonElement logging)
    {
        foreach (var section in logging.EnumerateObject())
        {
            if (section.Name == "logLevel")
            {
                LogLevels = section.Value.EnumerateObject().ToDictionary(
                    level => level.Name,
                    level => Enum.TryParse<LogLevel>(level.Value.GetString(), ignoreCase: true, out var parsed)
                        ? parsed
                        : throw new FormatException($"logging.logLevel.{level.Name} is not a log level."),
                    StringComparer.OrdinalIgnoreCase);
            }
            else if (!azureOnly.Contains($"logging.{section.Name}"))
            {
                Unknown.Add($"logging.{section.Name}");
            }
        }
    }

    void ReadExtensions(JsonElement extensions)
    {
        Extensions = extensions.EnumerateObject().ToDictionary(
            section => section.Name, section => section.Value.Clone(), StringComparer.OrdinalIgnoreCase);
        if (!Extensions.TryGetValue("http", out var http))
        {
            return;
        }

        foreach (var setting in http.EnumerateObject())
        {
            switch (setting.Name)
            {
                case "routePrefix":
                    RoutePrefix = setting.Value.GetString()!.Trim('/');
                    break;
                case "maxConcurrentRequests":
                    ConcurrentRequestsMax = Bound(setting.Value);
                    break;
                case "maxOutstandingRequests":
                    OutstandingRequestsMax = Bound(setting.Value);
                    break;
                case var name:
                    Unknown.Add($"extensions.http.{name}");
                    break;
            }
        }
    }

    static int? Bound(JsonElement value) => value.GetInt32() switch
    {
        -1 => null,
        > 0 and var bound => bound,
        var other => throw new FormatException($"{other} is no bound for requests; a positive number or -1 is."),
    };

    // "-1" is Azure's word for no limit. A timer of the platform cannot wait for longer than the maximum.
    static TimeSpan Timeout(string text) => text == "-1"
        ? System.Threading.Timeout.InfiniteTimeSpan
        : TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var timeout) &&
          timeout > TimeSpan.Zero && timeout <= timeoutMax
            ? timeout
            : throw new FormatException($"\"functionTimeout\" is '{text}'; a time span such as 00:05:00 is needed.");
}
