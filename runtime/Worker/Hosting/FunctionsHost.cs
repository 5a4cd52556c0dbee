using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Runtime.DurableTask;

namespace Runtime.Worker;

/// <summary>One function that the host runs, or would run if it were not disabled.</summary>
/// <param name="Name">The function's name.</param>
/// <param name="Trigger">The kind of its trigger, as in function.json.</param>
/// <param name="Description">Methods and route, schedule, feed or task name.</param>
/// <param name="Disabled">Whether the setting AzureWebJobs.{name}.Disabled turns it off.</param>
public sealed record FunctionListing(string Name, string Trigger, string Description, bool Disabled)
{
    /// <summary>Where an HTTP function answers, once the host listens.</summary>
    public string? Address { get; init; }

    public override string ToString() => $"{Name}: [{Trigger}] " + (Disabled ? "disabled"
        : Address is null ? Description
        : $"{Description.Split(' ')[0]} {Address}");
}

/// <summary>A running functions application: HTTP, timers, change feeds and orchestrations in this process.</summary>
public sealed class FunctionsHost : IAsyncDisposable
{
    readonly IHost app;
    readonly RunningFunctions functions;
    bool stopped;

    FunctionsHost(IHost app)
    {
        this.app = app;
        functions = app.Services.GetRequiredService<RunningFunctions>();
        Address = ListeningAddress(app);
        Functions = [.. functions.List(Address)];
    }

    public Uri Address { get; }

    public IServiceProvider Services => app.Services;

    public DurableEngine Durable => functions.Durable;

    public IReadOnlyList<FunctionListing> Functions { get; }

    /// <summary>Returns when everything listens; if anything cannot start, nothing stays running.</summary>
    /// <exception cref="FunctionsRefusedException">A function, a setting or host.json is not acceptable.</exception>
    public static async Task<FunctionsHost> StartAsync(
        FunctionsHostOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var builder = new FunctionsApplicationBuilder(options, standalone: false);
        options.Configure(builder);

        var app = builder.Build();
        try
        {
            await app.StartAsync(cancellation);
            return new(app);
        }
        catch
        {
            await ((IAsyncDisposable)app).DisposeAsync();
            throw;
        }
    }

    /// <summary>Takes no more requests and events, lets running functions finish, then stops orchestrations.</summary>
    /// <remarks>When the token fires, or after the 30 seconds of <c>HostOptions.ShutdownTimeout</c>, functions still
    /// running are cancelled; what they were given comes again at the next start if its source keeps it: change-feed
    /// batches, monitored timers, orchestrations.</remarks>
    public async Task StopAsync(CancellationToken cancellation = default)
    {
        stopped = true;
        await app.StopAsync(cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        if (!stopped)
        {
            await StopAsync();
        }

        await ((IAsyncDisposable)app).DisposeAsync();
    }

    internal static Uri ListeningAddress(IHost app)
    {
        var server = app.Services.GetRequiredService<IServer>();
        return new(server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First());
    }
}
