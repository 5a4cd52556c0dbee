namespace Runtime.Messaging.Queues;

/// <summary>The loops of a processor between start and stop.</summary>
sealed class PumpRun
{
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    readonly Lock gate = new();

    /// <summary>Fires the stopping token; null while nothing runs.</summary>
    volatile Func<Task>? stop;
    Task loops = Task.CompletedTask;

    public bool IsRunning => stop is not null;

    public static void Assign<T>(ref T? handler, T value, bool running)
        where T : Delegate
    {
        ArgumentNullException.ThrowIfNull(value);
        RequireStopped(running);
        handler = handler is null
            ? value
            : throw new NotSupportedException("There is a handler already; a processor has one of each kind.");
    }

    public static void Unassign<T>(ref T? handler, T value, bool running)
        where T : Delegate
    {
        ArgumentNullException.ThrowIfNull(value);
        RequireStopped(running);
        handler = value.Equals(handler)
            ? null
            : throw new ArgumentException("This handler is not the one that is assigned.", nameof(value));
    }

    public static void Require(Delegate? handler, string name)
    {
        if (handler is null)
        {
            throw new InvalidOperationException($"Cannot begin processing without a handler for {name}.");
        }
    }

    /// <summary>Tells a user's error handler; what that throws in turn has nobody left to go to.</summary>
    public static async Task RaiseAsync(Func<Task> handler)
    {
        try
        {
            await handler();
        }
        catch (Exception e)
        {
            System.Diagnostics.Trace.TraceError("The error handler of a processor failed: {0}", e);
        }
    }

    /// <summary>After an error of the broker, so that a processor that cannot work does not spin.</summary>
    public static async Task PauseAsync(TimeProvider clock, CancellationToken stopping) =>
        await Task.Delay(Pause, clock, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    public void Start(int count, Func<int, CancellationToken, Task> loop)
    {
        lock (gate)
        {
            if (stop is not null)
            {
                throw new InvalidOperationException(
                    "The processor is already running. Stop it before starting it again.");
            }

            // Never disposed: it has no timer, and a handler may still look at its token.
            var source = new CancellationTokenSource();
            stop = () =>
            {
                // At once, with every token linked to it: whoever stops may call handlers off next, and what they give
                // back must not be handed out again.
                source.Cancel();
                return Task.CompletedTask;
            };
            loops = Task.WhenAll(
                Enumerable.Range(0, count).Select(i => Task.Run(() => RunAsync(loop, i, source.Token))));
        }
    }

    public async Task StopAsync(CancellationToken cancellation)
    {
        var cancel = stop;
        if (cancel is null)
        {
            return;
        }

        await cancel();
        await loops.WaitAsync(cancellation);
        lock (gate)
        {
            if (stop == cancel)
            {
                stop = null;
            }
        }
    }

    static void RequireStopped(bool running)
    {
        if (running)
        {
            throw new InvalidOperationException("Handlers are changed only while the processor stands still.");
        }
    }

    static async Task RunAsync(Func<int, CancellationToken, Task> loop, int index, CancellationToken stopping)
    {
        try
        {
            await loop(index, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // A receive that was waiting when the processor stopped.
        }
    }
}
