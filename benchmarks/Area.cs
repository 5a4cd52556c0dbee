namespace Benchmarks;

/// <summary>One group of numbers this repository promises or is curious about, measured in one go.</summary>
sealed record Area(string Name, string What, Func<Run, Task> MeasureAsync)
{
    /// <summary>Every area; a new one is a file of its own and a line here.</summary>
    public static readonly IReadOnlyList<Area> All =
    [
        new("events", "appends, folding, decoding and loading of streams", Events.EventsArea.MeasureAsync),
        new("messaging", "messages through the broker, and how long an event is on its way out",
            Messaging.MessagingArea.MeasureAsync),
        new("views", "projecting, building anew, from write to view, and two ways to put an answer together",
            Views.ViewsArea.MeasureAsync),
        new("workflows", "one order by orchestration and by choreography", Workflows.WorkflowsArea.MeasureAsync),
    ];
}
