namespace Runtime.DurableTask;

/// <summary>
/// Takes up what a stopped or killed process left: stored messages are told, timers set, open activities run again and
/// instances started. Each was stored together with what caused it, so nothing is missing; what was already under way
/// happens once more, which is all that is promised.
/// </summary>
static class Recovery
{
    internal static void TakeUp(TaskHub hub, Unfinished unfinished)
    {
        foreach (var message in unfinished.Messages)
        {
            hub.Post(message);
        }

        foreach (var record in unfinished.Unstarted)
        {
            if (record.StartAt is { } start && start > hub.Now)
            {
                hub.Timers.Set(new OpenTask(record.InstanceId, record.ExecutionId, TaskHub.StartTimer, start));
            }
            else
            {
                hub.Nudge(record.InstanceId);
            }
        }

        foreach (var instance in unfinished.Tasks.GroupBy(task => task.InstanceId, StringComparer.Ordinal))
        {
            var activities = instance.Where(task => task.FireAt is null).ToList();
            if (activities.Count > 0)
            {
                CallAgain(hub, instance.Key, activities);
            }

            foreach (var timer in instance.Where(task => task.FireAt is not null))
            {
                hub.Timers.Set(timer);
            }
        }
    }

    // Only the history knows what an activity was called with.
    static void CallAgain(TaskHub hub, string instanceId, List<OpenTask> activities)
    {
        var calls = hub.Store.ReadHistory(instanceId)
            .SelectMany(turn => turn.Entries)
            .OfType<HistoryEntry.ActivityCalled>()
            .ToDictionary(call => call.Task);
        foreach (var activity in activities)
        {
            hub.Activities.Add(instanceId, activity.ExecutionId, calls[activity.Task]);
        }
    }
}
