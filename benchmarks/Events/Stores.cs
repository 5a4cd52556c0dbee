using EventSourcing;
using Microsoft.Azure.Cosmos;
using Runtime.Cosmos;
using Runtime.Local;

namespace Benchmarks.Events;

/// <summary>An event store to measure, and what it has charged so far where it charges.</summary>
sealed class Target(string name, IEventStore store, Func<double?> charged, Func<ValueTask> close) : IAsyncDisposable
{
    public string Name { get; } = name;

    public IEventStore Store { get; } = store;

    public double? Charged => charged();

    public ValueTask DisposeAsync() => close();

    public static Target InMemory() =>
        new("in memory", new InMemoryEventStore(), () => null, () => ValueTask.CompletedTask);

    /// <summary>The real SDK to the local server, which keeps all in memory or, safe from a crash, in a file.</summary>
    public static async Task<Target> CosmosAsync(bool isDurable, CancellationToken stop)
    {
        var folder = isDurable ? Directory.CreateTempSubdirectory("benchmark-") : null;
        var server = CosmosServer.Open(
            new() { File = folder is null ? null : Path.Combine(folder.FullName, LocalSystem.CosmosFile) });
        CosmosClient client = LocalSystem.ClientOf(server);
        await Topology.CreateAsync(client, stop);
        return new(
            isDurable ? "Cosmos, on file" : "Cosmos, in memory",
            Functions.Program.StreamsOf(client).Store,
            () => server.Ledger.Snapshot().Total.Charge,
            async () =>
            {
                client.Dispose();
                await server.DisposeAsync();
                folder?.Delete(recursive: true);
            });
    }
}
