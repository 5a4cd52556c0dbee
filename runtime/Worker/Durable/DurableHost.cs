using System.Reflection;
using System.Text.Json;
using Azure.Core.Serialization;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Runtime.DurableTask;
using static Microsoft.DurableTask.Worker.DurableTaskWorkerOptions;

namespace Runtime.Worker;

/// <summary>The task hub of a host: its engine, the functions registered with it, clients for others.</summary>
sealed class DurableHost : IAsyncDisposable
{
    // Hub storage, tracing and notifications are Azure's side of Durable; one process has no use for them.
    static readonly HashSet<string> azureOnly = new(StringComparer.OrdinalIgnoreCase)
    {
        "storageProvider", "tracing", "notifications", "extendedSessionsEnabled", "extendedSessionIdleTimeoutInSeconds",
    };

    readonly CancellationTokenSource aborting = new();
    readonly AppSettings settings;
    readonly IServiceProvider services;
    readonly DurableEngineOptions engineOptions;
    readonly string? hub;
    DurableEngine? engine;

    public DurableHost(FunctionsHostOptions options, HostJson hostJson, AppSettings settings, IServiceProvider services)
    {
        (this.settings, this.services) = (settings, services);
        engineOptions = new()
        {
            File = options.DurableFile,
            Clock = options.Clock,
            LoggerFactory = services.GetRequiredService<ILoggerFactory>(),
            DataConverter = new WorkerConverter(
                services.GetRequiredService<IOptions<WorkerOptions>>().Value.Serializer!),
        };
        if (hostJson.Extensions.TryGetValue(Section, out var section))
        {
            (engineOptions, hub) = Read(section, engineOptions, hostJson.Unknown);
        }
    }

    public const string Section = "durableTask";

    public DurableTaskRegistry Registry { get; } = new();

    public DurableEngine Engine => engine ?? throw new InvalidOperationException("The task hub is not open yet.");

    /// <summary>Makes the engine, once all its functions are registered.</summary>
    public void Open() => engine = new(Registry, services, engineOptions);

    /// <summary>Cancelled when the host can no longer wait for activities; they run again at the next start.</summary>
    public CancellationToken Aborting => aborting.Token;

    /// <summary>Gives the parameter what the caller sent; as on Azure, a value type cannot do with nothing.</summary>
    public static ParameterBinder Input(ParameterInfo parameter, Func<object?, object?> input)
    {
        var type = parameter.ParameterType;
        var optional = parameter.HasDefaultValue || !type.IsValueType || Nullable.GetUnderlyingType(type) is not null;
        var missing = parameter.HasDefaultValue ? parameter.DefaultValue : null;
        return (_, payload) => input(payload) is { } value ? new(value)
            : optional ? new(missing)
            : throw new FunctionInputConverterException(
                $"'{parameter.Name}' is a {type.Name} and was called without input.");
    }

    public Task StartAsync(CancellationToken cancellation) => Engine.StartAsync(cancellation);

    public async Task StopAsync(CancellationToken cancellation)
    {
        await using var _ = cancellation.UnsafeRegister(static o => ((CancellationTokenSource)o!).Cancel(), aborting);
        await Engine.StopAsync(cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        aborting.Dispose();
    }

    public ParameterBinder Client(TriggeredFunction function, ParameterInfo parameter, DurableClientAttribute attribute)
    {
        if (parameter.ParameterType != typeof(DurableTaskClient))
        {
            throw function.Refusal(
                $"[DurableClient] fills a DurableTaskClient, not {parameter.ParameterType.Name}.", parameter);
        }

        if (attribute.TaskHub is { } other && settings.Expand(other) != hub)
        {
            throw function.Refusal(
                $"task hub '{other}' is not this host's ('{hub}'); there is one hub here.", parameter);
        }

        return (_, _) => new(Engine.Client);
    }

    (DurableEngineOptions Options, string? Hub) Read(
        JsonElement section, DurableEngineOptions options, List<string> unknown)
    {
        string? name = null;
        foreach (var setting in section.EnumerateObject())
        {
            switch (setting.Name)
            {
                case "hubName":
                    name = settings.Expand(setting.Value.GetString()!);
                    break;
                case "defaultVersion":
                    options = options with { DefaultVersion = settings.Expand(setting.Value.GetString()!) };
                    break;
                case "versionMatchStrategy":
                    options = options with { VersionMatch = Word<VersionMatchStrategy>(setting) };
                    break;
                case "versionFailureStrategy":
                    options = options with { VersionFailure = Word<VersionFailureStrategy>(setting) };
                    break;
                case "maxConcurrentActivityFunctions":
                    options = options with { ActivitiesMax = Positive(setting) };
                    break;
                case "maxConcurrentOrchestratorFunctions":
                    options = options with { OrchestrationsMax = Positive(setting) };
                    break;
                case var other when !azureOnly.Contains(other):
                    unknown.Add($"extensions.{Section}.{other}");
                    break;
                default:
                    break;
            }
        }

        return (options, name);
    }

    static T Word<T>(JsonProperty setting) where T : struct, Enum =>
        setting.Value.ValueKind is JsonValueKind.String &&
        Enum.TryParse<T>(setting.Value.GetString(), ignoreCase: true, out var word)
            ? word
            : throw Wrong(setting, $"one of {string.Join(", ", Enum.GetNames<T>())}");

    static int Positive(JsonProperty setting) =>
        setting.Value.ValueKind is JsonValueKind.Number && setting.Value.TryGetInt32(out var number) && number > 0
            ? number
            : throw Wrong(setting, "a positive number");

    static FunctionsRefusedException Wrong(JsonProperty setting, string right) =>
        new($"host.json: extensions.{Section}.{setting.Name} must be {right}.");

    /// <summary>Inputs and outputs as the worker's serializer writes them, which is what Azure stores: fields, and so
    /// the items of tuples, are not written unless the application's serializer does.</summary>
    sealed class WorkerConverter(ObjectSerializer serializer) : DataConverter
    {
        public override string? Serialize(object? value) =>
            value is null ? null : serializer.Serialize(value, value.GetType()).ToString();

        public override object? Deserialize(string? data, Type targetType) =>
            data is null ? null : serializer.Deserialize(BinaryData.FromString(data).ToStream(), targetType, default)!;
    }
}
