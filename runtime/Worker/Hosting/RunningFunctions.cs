using Microsoft.Extensions.Hosting;
using Runtime.DurableTask;

namespace Runtime.Worker;

/// <summary>Starts and stops all sources but the web server: the engine first up and last down.</summary>
sealed class RunningFunctions : IHostedService, IAsyncDisposable
{
    readonly List<ITriggerSource> started = [];
    AttachedFunctions? attached;
    bool durableStarted;

    public DurableEngine Durable => Attached.Durable.Engine;

    AttachedFunctions Attached => attached ?? throw new InvalidOperationException("The host has not been built yet.");

    public void Set(AttachedFunctions functions) => attached = functions;

    public IEnumerable<FunctionListing> List(Uri address) => Attached.Functions.Select(function =>
        function.Source is HttpRoute route
            ? function.Listing with { Address = $"{address.GetLeftPart(UriPartial.Authority)}/{route.Pattern.RawText}" }
            : function.Listing);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        durableStarted = true;
        await Attached.Durable.StartAsync(cancellationToken);
        foreach (var source in Attached.Functions.Select(function => function.Source).OfType<ITriggerSource>())
        {
            started.Add(source);
            await source.StartAsync(cancellationToken);
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(started.Select(source => source.StopAsync(cancellationToken)));
        if (durableStarted)
        {
            await Attached.Durable.StopAsync(cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (attached is null)
        {
            return;
        }

        foreach (var source in attached.Functions.Select(function => function.Source).OfType<IDisposable>())
        {
            source.Dispose();
        }

        await attached.Durable.DisposeAsync();
    }
}
