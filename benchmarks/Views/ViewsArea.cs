namespace Benchmarks.Views;

/// <summary>The views: how fast they follow, how fast one is built anew, and what reading them costs.</summary>
static class ViewsArea
{
    public static async Task MeasureAsync(Run run)
    {
        await Rebuilding.MeasureAsync(run);
        await Visibility.MeasureAsync(run);
    }
}
