using System.Diagnostics;
using Microsoft.Extensions.Hosting;
using Runtime.DurableTask;

namespace Runtime.Worker;

/// <summary>Starts and stops all sources but the web server: the engine first up and last down.</summary>
sealed class RunningFunctions : IHostedService, IAsyncDisposable
{
    readonly List<ITriggerSource> started = [];
    AttachedFunctions? attached;
    bool durableStarted;
    bool stopped;

    public DurableEngine Durable => Attached.Durable.Engine;

    AttachedFunctions Attached => attached ?? throw new InvalidOperationException("The host has not been built yet.");

    public void Set(AttachedFunctions functions) => attached = functions;

    public IEnumerable<FunctionListing> List(Uri address) => Attached.Functions.Select(function =>
        function.Source is HttpRoute route
            ? function.Listing with { Address = $"{address.GetLeftPart(UriPartial.Authority)}/{route.Pattern.RawText}" }
            : function.Listing);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // Loops that begin here must not take the trace of whoever starts the host for that of their invocations.
        Activity.Current = null;
        durableStarted = true;
        await Attached.Durable.StartAsync(cancellationToken);
        foreach (var source in Attached.Functions.Select(function => function.Source).OfType<ITriggerSource>())
        {
            await source.StartAsync(cancellationToken);
            started.Add(source);
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        stopped = true;
        try
        {
            await Task.WhenAll(started.Select(source => source.StopAsync(cancellationToken)));
        }
        finally
        {
            if (durableStarted)
            {
                await Attached.Durable.StopAsync(cancellationToken);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (attached is null)
        {
            return;
        }

        if (!stopped)
        {
            // Something that was to start later could not: what runs already must not outlive the host.
            await StopAsync(new CancellationToken(canceled: true));
        }

        foreach (var source in attached.Functions.Select(function => function.Source).OfType<IDisposable>())
        {
            source.Dispose();
        }

        await attached.Durable.DisposeAsync();
    }
}
