namespace Runtime.Worker;

/// <summary>A function that the engine runs: once registered it has nothing of its own to start or stop.</summary>
sealed class DurableSource : ITriggerSource
{
    DurableSource(string name) => Description = name;

    public string Description { get; }

    public static DurableSource Register(TriggeredFunction function, string name, Action register)
    {
        try
        {
            register();
            return new(name);
        }
        catch (ArgumentException e)
        {
            // Two functions of different names may claim one task name through their attributes.
            throw function.Refusal(e.Message);
        }
    }

    public Task StartAsync(CancellationToken cancellation) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellation) => Task.CompletedTask;
}
