using System.Collections.Immutable;

namespace Runtime.Cosmos;

/// <summary>What goes wrong with a request.</summary>
public enum CosmosFaultKind
{
    /// <summary>429 with a time to wait; nothing is done.</summary>
    TooManyRequests,

    /// <summary>503; nothing is done.</summary>
    ServiceUnavailable,

    /// <summary>408; nothing is done.</summary>
    RequestTimeout,

    /// <summary>The request is carried out, later.</summary>
    Delay,

    /// <summary>The request is carried out and the connection breaks before the answer arrives.</summary>
    AnswerLost,
}

/// <summary>A fault and which requests it strikes.</summary>
public sealed record CosmosFault(CosmosFaultKind Kind)
{
    /// <summary>Only requests to this container; null is every one.</summary>
    public string? Container { get; init; }

    /// <summary>Only requests of this kind; null is every kind of item request, but not metadata.</summary>
    public CosmosOperation? Operation { get; init; }

    /// <summary>The chance of a matching request, 0 to 1.</summary>
    public double Probability { get; init; } = 1;

    /// <summary>How many requests it strikes before it is spent; null is without end.</summary>
    public int? Times { get; init; }

    /// <summary>How long a delay lasts, or how long a throttled client is told to wait.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromMilliseconds(10);
}

/// <summary>Makes requests fail on purpose, repeatably; does nothing until a fault is added.</summary>
public sealed class CosmosFaults
{
    readonly Lock gate = new();
    readonly Random random;
    ImmutableList<Armed> armed = [];

    internal CosmosFaults(int seed) => random = new Random(seed);

    public void Add(CosmosFault fault)
    {
        ArgumentNullException.ThrowIfNull(fault);
        ArgumentOutOfRangeException.ThrowIfNegative(fault.Probability);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(fault.Probability, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(fault.Duration, TimeSpan.Zero);
        lock (gate)
        {
            armed = armed.Add(new Armed(fault));
        }
    }

    public void Clear()
    {
        lock (gate)
        {
            armed = [];
        }
    }

    internal CosmosFault? Strike(string? container, CosmosOperation operation)
    {
        // The everyday case must cost nothing.
        if (Volatile.Read(ref armed).IsEmpty)
        {
            return null;
        }

        lock (gate)
        {
            foreach (var candidate in armed)
            {
                var fault = candidate.Fault;
                if ((fault.Container is not null && fault.Container != container) ||
                    (fault.Operation is null ? operation < CosmosOperation.Create : fault.Operation != operation) ||
                    (fault.Probability < 1 && random.NextDouble() >= fault.Probability))
                {
                    continue;
                }

                if (++candidate.Strikes >= fault.Times)
                {
                    armed = armed.Remove(candidate);
                }

                return fault;
            }

            return null;
        }
    }

    sealed class Armed(CosmosFault fault)
    {
        public CosmosFault Fault { get; } = fault;

        public int Strikes { get; set; }
    }
}
