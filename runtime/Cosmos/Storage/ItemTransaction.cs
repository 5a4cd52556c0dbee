using System.Globalization;
using Runtime.Cosmos.ChangeFeed;
using Runtime.Cosmos.Http;

namespace Runtime.Cosmos.Storage;

/// <summary>Operations on one container that become visible together or not at all. Runs on the writer alone.</summary>
/// <remarks>
/// Each operation builds on the state the one before it left; giving up means forgetting this object. Uncommitted
/// transaction numbers are given back that way too, so the feed has no gaps and shows nothing that did not happen.
/// </remarks>
sealed class ItemTransaction(Container container, long now)
{
    const int SweptMax = 32;

    readonly List<ItemChange> changes = [];
    readonly List<HistoryEntry> history = [];
    readonly long lsn = container.Pending.Lsn + 1;

    public Container Container => container;

    public ContainerState State { get; private set; } = container.Pending;

    public IReadOnlyList<ItemChange> Changes => changes;

    public IReadOnlyList<HistoryEntry> History => history;

    public Outcome Read(PartitionKey key, string id, string? ifNoneMatch) =>
        ItemReads.Read(container, State, key, id, ifNoneMatch, now);

    public Outcome Create(Draft draft)
    {
        var partition = container.PartitionOf(draft.Key);
        if (State.Find(partition, draft.Id, now) is { } existing)
        {
            return new Outcome(409)
            {
                Message = "An item with this id already exists in its logical partition.",
                Before = existing,
            };
        }

        return UniqueConflict(draft, partition, null) ?? Store(draft, partition, null, 201);
    }

    public Outcome Replace(PartitionKey key, string id, Draft draft, string? ifMatch)
    {
        if (draft.Id != id)
        {
            throw Refused.BadRequest("The id in the item differs from the one in the address.");
        }

        if (container.Find(key) is not { } partition || State.Find(partition, id, now) is not { } existing)
        {
            return Outcome.NotFound(id);
        }

        return !ItemReads.Matches(existing, ifMatch)
            ? Outcome.Precondition(existing)
            : UniqueConflict(draft, partition, existing) ?? Store(draft, partition, existing, 200);
    }

    public Outcome Upsert(Draft draft, string? ifMatch)
    {
        var partition = container.PartitionOf(draft.Key);
        if (State.Find(partition, draft.Id, now) is not { } existing)
        {
            return UniqueConflict(draft, partition, null) ?? Store(draft, partition, null, 201);
        }

        return !ItemReads.Matches(existing, ifMatch)
            ? Outcome.Precondition(existing)
            : UniqueConflict(draft, partition, existing) ?? Store(draft, partition, existing, 200);
    }

    public Outcome Delete(PartitionKey key, string id, string? ifMatch)
    {
        if (container.Find(key) is not { } partition || State.Find(partition, id, now) is not { } existing)
        {
            return Outcome.NotFound(id);
        }

        if (!ItemReads.Matches(existing, ifMatch))
        {
            return Outcome.Precondition(existing);
        }

        Remove(existing, isExpiry: false);
        return new Outcome(204) { Before = existing };
    }

    public Outcome Patch(PartitionKey key, string id, Patch patch, string? ifMatch)
    {
        if (container.Find(key) is not { } partition || State.Find(partition, id, now) is not { } existing)
        {
            return Outcome.NotFound(id);
        }

        if (!ItemReads.Matches(existing, ifMatch))
        {
            return Outcome.Precondition(existing);
        }

        if (!patch.ConditionHolds(existing.Body))
        {
            return new Outcome(412)
            {
                SubStatus = SubStatuses.PatchConditionFailed,
                Message = "The condition of the patch does not hold for the item.",
                Before = existing,
            };
        }

        var draft = Draft.Parse(patch.Apply(existing.Body), container.Definition);
        if (draft.Id != id || draft.Key != key)
        {
            throw Refused.BadRequest("A patch cannot change the id or the partition key.");
        }

        return (UniqueConflict(draft, partition, existing) ?? Store(draft, partition, existing, 200)) with
        {
            PatchOperations = patch.Count,
        };
    }

    /// <summary>Takes out a few expired items; every write pays a little, so that nothing needs a timer.</summary>
    public void Sweep()
    {
        foreach (var item in State.ByExpiry.All().TakeWhile(item => item.IsExpired(now)).Take(SweptMax))
        {
            Remove(item, isExpiry: true);
        }

        // The past is only forgotten by reading less of it: dropping it here and at the next start needs no record.
        var begin = now - (long)(container.PendingDefinition.HistoryRetention ?? TimeSpan.MaxValue).TotalSeconds;
        foreach (var entry in State.History.All().TakeWhile(entry => entry.Timestamp < begin).Take(SweptMax))
        {
            State = State with { History = State.History.Without(entry) };
        }
    }

    Outcome? UniqueConflict(Draft draft, Partition partition, Item? own)
    {
        for (var constraint = 0; constraint < draft.UniqueKeys.Length; constraint++)
        {
            var probe = new UniqueProbe(partition.Ordinal, constraint, draft.UniqueKeys[constraint]);
            if (!State.Unique.TryFind(probe, out var entry) || ReferenceEquals(entry.Item, own))
            {
                continue;
            }

            if (!entry.Item.IsExpired(now))
            {
                return new Outcome(409)
                {
                    Message = "Another item of the logical partition has the same value for a unique key.",
                    Before = entry.Item,
                };
            }

            Remove(entry.Item, isExpiry: true);
        }

        return null;
    }

    Outcome Store(Draft draft, Partition partition, Item? before, int status)
    {
        // What has expired but is not swept yet still stands in the trees under this id.
        if (before is null && State.ById.TryFind(new IdProbe(partition.Ordinal, draft.Id), out var expired))
        {
            Remove(expired, isExpiry: true);
        }

        var number = before?.Number ?? State.LastNumber + 1;
        var ordinal = changes.Count;
        var etag = string.Create(CultureInfo.InvariantCulture, $"\"{container.Number:x8}-{lsn:x12}-{ordinal:x4}\"");
        var item = new Item
        {
            Partition = partition,
            Id = draft.Id,
            Number = number,
            Lsn = lsn,
            Ordinal = ordinal,
            Timestamp = now,
            ExpiresAt = container.Definition.Expiry(now, draft.TimeToLive),
            ETag = etag,
            Body = draft.Finish(container.ItemRid(number), container.ItemSelf(number), etag, now),
            UniqueKeys = draft.UniqueKeys,
        };
        State = State.With(item, before);
        Record(new ItemChange(container, before, item, lsn, ordinal, now, IsExpiry: false));
        return new Outcome(status) { Before = before, After = item };
    }

    void Remove(Item item, bool isExpiry)
    {
        State = State.Without(item) with { Lsn = lsn };
        Record(new ItemChange(container, item, null, lsn, changes.Count, now, isExpiry));
    }

    void Record(ItemChange change)
    {
        changes.Add(change);
        if (container.PendingDefinition.HistoryRetention is not null)
        {
            history.Add(HistoryEntry.Of(change));
            State = State with { History = State.History.With(history[^1]) };
        }
    }
}

/// <summary>
/// One write as the journal and the history keep it: created, replaced or (without an after) deleted.
/// </summary>
sealed record ItemChange(
    Container Container, Item? Before, Item? After, long Lsn, int Ordinal, long Timestamp, bool IsExpiry);

/// <summary>Reading and comparing versions, the same within a transaction and outside one.</summary>
static class ItemReads
{
    public static Outcome Read(
        Container container, ContainerState state, PartitionKey key, string id, string? ifNoneMatch, long now)
    {
        if (container.Find(key) is not { } partition || state.Find(partition, id, now) is not { } item)
        {
            return Outcome.NotFound(id);
        }

        return ifNoneMatch is not null && Matches(item, ifNoneMatch)
            ? new Outcome(304) { After = item }
            : new Outcome(200) { After = item };
    }

    public static bool Matches(Item item, string? condition) =>
        condition is null || condition == "*" || condition == item.ETag || condition == item.ETag.Trim('"');
}
