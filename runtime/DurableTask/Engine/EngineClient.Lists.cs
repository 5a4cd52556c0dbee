using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace Runtime.DurableTask;

// Lists of instances, and purging by list.
sealed partial class EngineClient
{
    public override AsyncPageable<OrchestrationMetadata> GetAllInstancesAsync(OrchestrationQuery? filter = null)
    {
        filter ??= new OrchestrationQuery();
        if (filter.TaskHubNames?.Any() == true)
        {
            throw new NotSupportedException($"{nameof(OrchestrationQuery.TaskHubNames)}: an engine is one task hub.");
        }

        var size = PageSize(filter.PageSize);
        return Pageable.Create<OrchestrationMetadata>((token, hint, cancellation) =>
        {
            cancellation.ThrowIfCancellationRequested();
            RefuseWhenStopped();
            var max = hint is { } wanted ? PageSize(wanted) : size;
            var records = hub.Store.List(Filter(max + 1, token ?? filter.ContinuationToken, filter));
            return Task.FromResult(new Page<OrchestrationMetadata>(
                [.. records.Take(max).Select(r => r.ToMetadata(filter.FetchInputsAndOutputs, Converter))],
                records.Count > max ? PageToken.Of(records[max - 1].InstanceId) : null));
        });
    }

    public override Task<Page<string>> ListInstanceIdsAsync(
        IEnumerable<OrchestrationRuntimeStatus>? runtimeStatus = null,
        DateTimeOffset? completedTimeFrom = null,
        DateTimeOffset? completedTimeTo = null,
        int pageSize = OrchestrationQuery.DefaultPageSize,
        string? lastInstanceKey = null,
        CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        RefuseWhenStopped();
        var max = PageSize(pageSize);
        var records = hub.Store.List(new ListFilter(
            max + 1,
            PageToken.Read(lastInstanceKey),
            CompletedFrom: completedTimeFrom?.UtcDateTime,
            CompletedTo: completedTimeTo?.UtcDateTime,
            Statuses: Statuses(runtimeStatus)));
        return Task.FromResult(new Page<string>(
            [.. records.Take(max).Select(record => record.InstanceId)],
            records.Count > max ? PageToken.Of(records[max - 1].InstanceId) : null));
    }

    public override async Task<PurgeResult> PurgeAllInstancesAsync(
        PurgeInstancesFilter filter, PurgeInstanceOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        RefuseWhenStopped();
        var deadline = filter.Timeout is { } timeout ? hub.Now + timeout : DateTime.MaxValue;
        var query = new OrchestrationQuery(filter.CreatedFrom, filter.CreatedTo, filter.Statuses);
        var (count, after) = (0, "");
        while (hub.Store.List(Filter(hub.Options.PageInstancesMax, PageToken.Of(after), query)) is { Count: > 0 } page)
        {
            foreach (var record in page)
            {
                if (hub.Now >= deadline)
                {
                    return new PurgeResult(count, isComplete: false);
                }

                count += await PurgeAsync(
                    record.InstanceId, options?.Recursive ?? false, mayRun: true, cancellation);
                after = record.InstanceId;
            }
        }

        return new PurgeResult(count, isComplete: true);
    }

    // Children first: whatever a crash leaves, a second purge still finds through its parent.
    async Task<int> PurgeAsync(string instanceId, bool recursive, bool mayRun, CancellationToken cancellation)
    {
        RefuseWhenStopped();
        if (hub.Store.Find(instanceId) is not { } found || RefuseRunning(found, mayRun))
        {
            return 0;
        }

        var count = 0;
        if (recursive)
        {
            foreach (var child in hub.Store.ReadChildren(instanceId))
            {
                count += await PurgeAsync(child.InstanceId, recursive, mayRun: true, cancellation);
            }
        }

        return count + await RunAsync(instanceId, turn => Purge(turn, mayRun), cancellation);
    }

    static int Purge(Turn turn, bool mayRun)
    {
        if (turn.Record is not { } record || RefuseRunning(record, mayRun))
        {
            return 0;
        }

        turn.Purge();
        return 1;
    }

    static bool RefuseRunning(InstanceRecord record, bool mayRun)
    {
        if (!record.IsOver && !mayRun)
        {
            throw new InvalidOperationException(
                $"Instance '{record.InstanceId}' is {record.Status}; only one that is over can be purged.");
        }

        return !record.IsOver;
    }

    static ListFilter Filter(int max, string? token, OrchestrationQuery query) => new(
        max,
        PageToken.Read(token),
        query.InstanceIdPrefix ?? "",
        query.CreatedFrom?.UtcDateTime,
        query.CreatedTo?.UtcDateTime,
        Statuses: Statuses(query.Statuses));

    static HashSet<InstanceStatus>? Statuses(IEnumerable<OrchestrationRuntimeStatus>? statuses) =>
        statuses?.Select(status => (InstanceStatus)status).ToHashSet() is { Count: > 0 } set ? set : null;

    int PageSize(int wanted)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(wanted, 1, "pageSize");
        return Math.Min(wanted, hub.Options.PageInstancesMax);
    }

    /// <summary>The id of the last instance of a page, in a form nobody takes for one.</summary>
    static class PageToken
    {
        internal static string? Of(string instanceId) =>
            instanceId.Length == 0 ? null : Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(instanceId));

        internal static string Read(string? token)
        {
            try
            {
                return System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(token ?? ""));
            }
            catch (FormatException)
            {
                throw new ArgumentException("The continuation token is not one that a page has answered.");
            }
        }
    }
}
