using System.Collections.Concurrent;

namespace Functions.Projections;

/// <summary>
/// What everybody in this process who waits for one document shares: the pause before the next look, the look itself,
/// and the word of the runner that the document was written, which ends the pause.
/// </summary>
/// <remarks>
/// A view may be written by another app than the one that is asked, so looking again after growing pauses is what
/// waiting rests on. Shared, a thousand who wait for one document cost the looks of one. In one process the runner's
/// word makes the pause as short as the write takes; nothing depends on it.
/// </remarks>
public sealed class Looks
{
    readonly ConcurrentDictionary<(string, ViewKey), Lazy<Task>> next = [];
    readonly ConcurrentDictionary<(string, ViewKey), TaskCompletionSource> waiting = [];

    internal void Written(string container, ViewKey key)
    {
        if (waiting.TryRemove((container, key), out var told)) told.TrySetResult();
    }

    /// <summary>The next look that anybody takes at the document; joined, not repeated.</summary>
    internal async Task<T> NextAsync<T>(
        string container, ViewKey key, TimeSpan pause, TimeProvider clock, Func<Task<T>> look,
        CancellationToken cancellation)
    {
        var place = (container, key);
        var mine = new Lazy<Task>(() => PauseAndLookAsync(place, pause, clock, look));
        var shared = next.GetOrAdd(place, mine);
        try
        {
            // Whoever gives up leaves; the look is everybody's and goes on.
            await shared.Value.WaitAsync(cancellation);
        }
        finally
        {
            if (shared.Value.IsCompleted) next.TryRemove(KeyValuePair.Create(place, shared));
        }

        return await (Task<T>)shared.Value;
    }

    async Task<T> PauseAndLookAsync<T>(
        (string, ViewKey) place, TimeSpan pause, TimeProvider clock, Func<Task<T>> look)
    {
        using var over = new CancellationTokenSource();
        var told = waiting.GetOrAdd(place, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
        await Task.WhenAny(told.Task, Task.Delay(pause, clock, over.Token));
        await over.CancelAsync();
        waiting.TryRemove(KeyValuePair.Create(place, told));
        return await look();
    }
}
