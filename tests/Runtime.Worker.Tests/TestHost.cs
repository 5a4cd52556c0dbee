using System.Collections.Concurrent;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Logging;

namespace Runtime.Worker.Tests;

/// <summary>Starts hosts of a few function classes of this assembly, on port 0, with keys.</summary>
static class TestHost
{
    public const string FunctionKey = "the-function-key";
    public const string AdminKey = "the-admin-key";

    public static readonly Dictionary<string, string> Keys = new()
    {
        ["Local:FunctionKey"] = FunctionKey,
        ["Local:AdminKey"] = AdminKey,
    };

    public static FunctionsHostOptions Options(params Type[] classes) => new()
    {
        Assemblies = [typeof(TestHost).Assembly],
        Classes = classes.Contains,
        Settings = Keys,
        Configure = builder => builder.ConfigureFunctionsWebApplication(),
    };

    public static Task<FunctionsHost> StartAsync(params Type[] classes) => FunctionsHost.StartAsync(Options(classes));

    public static async Task<string> RefusalAsync(FunctionsHostOptions options)
    {
        var refused = await Assert.ThrowsAsync<FunctionsRefusedException>(() => FunctionsHost.StartAsync(options));
        return refused.Message;
    }

    public static HttpClient Client(this FunctionsHost host) => new() { BaseAddress = host.Address };

    public static FunctionsHostOptions With(
        this FunctionsHostOptions options, params (string Name, string Value)[] settings)
    {
        var merged = new Dictionary<string, string>(options.Settings);
        foreach (var (name, value) in settings)
        {
            merged[name] = value;
        }

        return options with { Settings = merged };
    }

    public static FunctionsHostOptions WithHostJson(this FunctionsHostOptions options, string json)
    {
        var path = Path.Combine(Path.GetTempPath(), $"host-{Guid.NewGuid():N}.json");
        File.WriteAllText(path, json);
        return options with { HostJson = path };
    }

    public static FunctionsHostOptions WithLog(this FunctionsHostOptions options, TestLog log) => options with
    {
        Logging = logging => logging.AddProvider(log.Provider()),
    };
}

/// <summary>Remembers every line that passed the levels.</summary>
sealed class TestLog
{
    readonly ConcurrentQueue<Line> lines = new();

    public sealed record Line(string Category, LogLevel Level, string Text, Exception? Exception);

    public IReadOnlyList<Line> Lines => [.. lines];

    public ILoggerProvider Provider() => new LoggerProvider(this);

    sealed class LoggerProvider(TestLog log) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => new Logger(log, categoryName);

        public void Dispose() { }
    }

    sealed class Logger(TestLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) =>
            log.lines.Enqueue(new(category, logLevel, formatter(state, exception), exception));
    }
}
