namespace Benchmarks.Events;

/// <summary>The event store: how fast it appends, folds, decodes and loads.</summary>
static class EventsArea
{
    public static async Task MeasureAsync(Run run)
    {
        await Appends.MeasureAsync(run);
        Folding.Measure(run);
        await Loads.MeasureAsync(run);
    }
}
