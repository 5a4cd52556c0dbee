using Microsoft.Extensions.Hosting;
using Runtime.DurableTask;

namespace Runtime.Worker;

/// <summary>Starts and stops all sources but the web server: the engine first up and last down.</summary>
internal sealed class RunningFunctions : IHostedService, IAsyncDisposable
{
    IReadOnlyList<(FunctionListing Listing, ITriggerSource? Source)> functions = [];
    DurableEngine? durable;
    readonly List<ITriggerSource> started = [];

    public DurableEngine Durable => durable ?? throw new InvalidOperationException("The host has not been built yet.");

    public void Set(DurableEngine engine, IReadOnlyList<(FunctionListing Listing, ITriggerSource? Source)> attached) =>
        (durable, functions) = (engine, attached);

    public IEnumerable<FunctionListing> List(Uri address) => functions.Select(function =>
        function.Source is HttpRoute route
            ? function.Listing with { Address = new Uri(address, $"/{route.Pattern.RawText}") }
            : function.Listing);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await Durable.StartAsync(cancellationToken);
        foreach (var source in functions.Select(function => function.Source).OfType<ITriggerSource>())
        {
            started.Add(source);
            await source.StartAsync(cancellationToken);
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(started.Select(source => source.StopAsync(cancellationToken)));
        await Durable.StopAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var source in functions.Select(function => function.Source).OfType<IDisposable>())
        {
            source.Dispose();
        }

        if (durable is not null)
        {
            await durable.DisposeAsync();
        }
    }
}
