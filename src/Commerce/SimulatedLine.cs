namespace Commerce;

/// <summary>
/// The line to a simulated partner: one call at a time, and it goes down when told to. A call may be lost on the way
/// there, so nothing happens, or on the way back, so it happened and nobody knows.
/// </summary>
sealed class SimulatedLine<TCall>(string partner)
    where TCall : struct, Enum
{
    readonly Lock gate = new();
    readonly List<Outage> outages = [];

    public void TimeOut(TCall call, int times, bool afterEffect)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(times);
        lock (gate) outages.Add(new(call, afterEffect) { Left = times });
    }

    public void Recover()
    {
        lock (gate) outages.Clear();
    }

    public TimeoutException NoAnswer(TCall call) => new($"The {partner} did not answer {call}.");

    public T Read<T>(Func<T> read)
    {
        lock (gate) return read();
    }

    /// <summary>Ends in an answer or, like a real line, in a task that timed out.</summary>
    public Task<TAnswer> Call<TAnswer>(TCall call, Func<TAnswer> effect, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested) return Task.FromCanceled<TAnswer>(cancellation);
        try
        {
            lock (gate)
            {
                var outage = outages.Find(outage => outage.Call.Equals(call));
                if (outage is not null && --outage.Left == 0) outages.Remove(outage);
                if (outage is { AfterEffect: false }) throw NoAnswer(call);
                var answer = effect();
                return outage is null ? Task.FromResult(answer) : throw NoAnswer(call);
            }
        }
        catch (TimeoutException fault)
        {
            return Task.FromException<TAnswer>(fault);
        }
    }

    sealed record Outage(TCall Call, bool AfterEffect)
    {
        public int Left { get; set; }
    }
}
