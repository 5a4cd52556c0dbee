namespace Runtime.DurableTask;

/// <summary>Time that moves only when told to, or when everybody who registered work is idle.</summary>
public sealed class VirtualClock : TimeProvider
{
    public VirtualClock(DateTimeOffset start) => throw new NotImplementedException();

    /// <summary>While nobody is busy, a timer due within this much of now fires at once; later ones wait.</summary>
    public TimeSpan AutoAdvance { get; set; }

    /// <summary>Marks its holder as busy until disposed: meanwhile time does not move by itself.</summary>
    public IDisposable Hold() => throw new NotImplementedException();

    /// <summary>Moves time at once, firing what falls due on the way, whoever is busy.</summary>
    public void Advance(TimeSpan by) => throw new NotImplementedException();

    /// <inheritdoc cref="Advance"/>
    public void AdvanceTo(DateTimeOffset instant) => throw new NotImplementedException();

    /// <summary>Moves time from timer to timer and lets everybody come to rest in between.</summary>
    public Task AdvanceAsync(TimeSpan by, CancellationToken cancellation = default) =>
        throw new NotImplementedException();

    /// <inheritdoc cref="AdvanceAsync"/>
    public Task AdvanceToAsync(DateTimeOffset instant, CancellationToken cancellation = default) =>
        throw new NotImplementedException();
}
