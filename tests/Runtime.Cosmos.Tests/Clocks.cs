namespace Runtime.Cosmos.Tests;

/// <summary>A clock that moves when it is told to.</summary>
public sealed class ManualClock : TimeProvider
{
    DateTimeOffset now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => now;

    public void Advance(TimeSpan by) => now += by;
}
