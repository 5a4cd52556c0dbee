using System.Diagnostics;

namespace Runtime.Messaging.Tests;

/// <summary>Awaits what other threads are about to bring about; a limit keeps a failure from hanging.</summary>
public static class Eventually
{
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static async Task TrueAsync(Func<bool> condition, string what)
    {
        ArgumentNullException.ThrowIfNull(condition);
        for (var watch = Stopwatch.StartNew(); !condition(); await Task.Yield())
        {
            Assert.True(watch.Elapsed < Limit, $"It never came about that {what}.");
        }
    }

    public static Task<T> SoonAsync<T>(this Task<T> task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return task.WaitAsync(Limit);
    }

    public static Task SoonAsync(this Task task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return task.WaitAsync(Limit);
    }
}
