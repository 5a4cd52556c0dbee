using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Runtime.DurableTask;
using Runtime.Local;
using Runtime.Worker;

namespace Functions.Tests.Views;

/// <summary>The whole system in memory, of which nothing moves by itself: the test is the feed and the timer.</summary>
sealed record QuietSystem(VirtualClock Clock, LocalSystem Local) : IAsyncDisposable
{
    public static async Task<QuietSystem> StartAsync(int seed, Action<IServiceCollection>? replace = null)
    {
        var clock = new VirtualClock(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var settings = new Dictionary<string, string>(
            LocalSettings.Read(Path.Combine(AppContext.BaseDirectory, "local.settings.sample.json")));
        foreach (var method in typeof(Program).Assembly.GetTypes().SelectMany(type => type.GetMethods()))
        {
            if (method.GetCustomAttribute<FunctionAttribute>() is { } function
                && method.GetParameters().Any(p => p.GetCustomAttributes().Any(
                    a => a is CosmosDBTriggerAttribute or TimerTriggerAttribute or ServiceBusTriggerAttribute
                        or EventHubTriggerAttribute)))
                settings[$"AzureWebJobs.{function.Name}.Disabled"] = "true";
        }

        return new(clock, await LocalSystem.StartAsync(
            new()
            {
                Clock = clock,
                FaultSeed = seed,
                Settings = settings,
                Logging = logging => logging.ClearProviders(),
                Replace = replace,
            },
            default));
    }

    public T Get<T>()
        where T : notnull => Local.Host.Services.GetRequiredService<T>();

    public ValueTask DisposeAsync() => Local.DisposeAsync();
}
