using System.Collections.Concurrent;

namespace Runtime.Worker.Tests;

/// <summary>A host's own meeting point between a function and its test: doors, signals and a diary.</summary>
public sealed class Probe
{
    readonly ConcurrentDictionary<string, TaskCompletionSource> doors = new();
    readonly ConcurrentQueue<string> diary = new();
    readonly Lock gate = new();
    readonly List<(Func<IReadOnlyList<string>, bool> Seen, TaskCompletionSource Done)> watchers = [];

    public IReadOnlyList<string> Diary => [.. diary];

    public Task Opened(string door) => Door(door).Task.WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System);

    public void Open(string door) => Door(door).TrySetResult();

    public void Write(string line)
    {
        lock (gate)
        {
            diary.Enqueue(line);
            foreach (var (seen, done) in watchers)
            {
                if (seen(Diary))
                {
                    done.TrySetResult();
                }
            }
        }
    }

    /// <summary>Completes when the diary fits; fails after a while instead of hanging.</summary>
    public async Task Until(Func<IReadOnlyList<string>, bool> seen)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate)
        {
            if (seen(Diary))
            {
                return;
            }

            watchers.Add((seen, done));
        }

        try
        {
            await done.Task.WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"Still waiting; the diary says: {string.Join(" | ", Diary)}");
        }
    }

    TaskCompletionSource Door(string door) =>
        doors.GetOrAdd(door, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
}
