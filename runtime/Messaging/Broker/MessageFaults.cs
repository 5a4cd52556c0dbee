namespace Runtime.Messaging;

/// <summary>What goes wrong on purpose, by seeded chance; each number is a probability and 0 is never.</summary>
/// <remarks>The faults are those at-least-once delivery allows: messages may come twice, late or in another order
/// between sessions, and an answer may be lost. Within a session the order holds and nothing acknowledged is lost.
/// They surface as they would after the SDK's own retries.</remarks>
public sealed class MessageFaults
{
    readonly Random random;

    internal MessageFaults(Random random) => this.random = random;

    /// <summary>A send is refused with ServiceBusy and nothing is stored.</summary>
    public double SendFailures { get; set; }

    /// <summary>A send is stored but its sender is told ServiceTimeout, so that it sends again.</summary>
    public double LostAcknowledgements { get; set; }

    /// <summary>A message is stored twice, past duplicate detection.</summary>
    public double Duplicates { get; set; }

    /// <summary>
    /// A message is held back for up to <see cref="DelayMax"/>; in a session, with all that follow it.
    /// </summary>
    public double Delays { get; set; }

    public TimeSpan DelayMax { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Another session, or without sessions another message, comes first.</summary>
    public double Reorders { get; set; }

    /// <summary>A lock turns out to be lost when its holder settles or renews: the message comes again.</summary>
    public double LockLosses { get; set; }

    public void Clear() =>
        SendFailures = LostAcknowledgements = Duplicates = Delays = Reorders = LockLosses = 0;

    internal bool Strikes(double probability) => probability > 0 && random.NextDouble() < probability;

    internal int Choose(int below) => random.Next(below);

    internal long ChooseDelay() => (long)(random.NextDouble() * DelayMax.Ticks);
}
