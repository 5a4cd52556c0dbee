namespace Benchmarks.Messaging;

/// <summary>What the broker carries, and how long an event is on its way out of the system.</summary>
static class MessagingArea
{
    public static async Task MeasureAsync(Run run)
    {
        await Throughput.MeasureAsync(run);
        await RelayLatency.MeasureAsync(run);
    }
}
