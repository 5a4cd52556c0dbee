using System.Globalization;
using Runtime.Cosmos.Http;
using Runtime.Cosmos.Query;
using Runtime.Cosmos.Storage;

namespace Runtime.Cosmos.Batch;

/// <summary>
/// Transactional batches, all or nothing on one logical partition, and bulk bodies, each operation alone.
/// </summary>
sealed class BatchRequests(Store store)
{
    public async Task<Reply> RunAsync(ServerRequest request, Route route)
    {
        var container = ContainerRequests.Find(store.Catalog, route);
        if (request.Body.Length > CosmosLimits.BatchBytesMax)
        {
            throw Refused.TooLarge("The batch", CosmosLimits.BatchBytesMax);
        }

        var components = container.Definition.PartitionKeyPaths.Count;
        PartitionKey? key = request.Header(Names.PartitionKey) is { } header
            ? PartitionKey.Parse(header, components)
            : null;
        var isAtomic = request.Flag(Names.BatchAtomic);
        if (isAtomic && key is null)
        {
            throw Refused.BadRequest("A transactional batch needs a partition key.");
        }

        var steps = BatchOperation.ParseAll(request.Body.Span)
            .ConvertAll(operation => Step.Prepare(operation, container, key));
        var (results, lsn) = await store.WriteAsync(scope =>
        {
            var done = isAtomic ? Atomically(scope, container, steps) : OneByOne(scope, container, steps);
            return (done, container.Pending.Lsn);
        });
        return ReplyTo(results, container.Definition.Indexing, lsn);
    }

    static BatchResult[] Atomically(WriteScope scope, Container container, List<Step> steps)
    {
        var transaction = scope.Begin(container);
        var results = new List<BatchResult>(steps.Count);
        foreach (var step in steps)
        {
            results.Add(step.Run(transaction));
            if (!results[^1].Outcome.IsSuccess)
            {
                // What was done before the failure is undone by not committing; its work was work and is charged.
                return [.. steps.Select((_, i) => i == results.Count - 1
                    ? results[i]
                    : BatchResult.FailedDependency(results.ElementAtOrDefault(i)))];
            }
        }

        scope.Commit(transaction);
        return [.. results];
    }

    static BatchResult[] OneByOne(WriteScope scope, Container container, List<Step> steps) =>
        [.. steps.Select(step =>
        {
            var transaction = scope.Begin(container);
            var result = step.Run(transaction);
            if (result.Outcome.IsSuccess)
            {
                scope.Commit(transaction);
            }

            return result;
        })];

    static Reply ReplyTo(BatchResult[] results, IndexingPolicy policy, long lsn)
    {
        var writer = new HybridRowWriter();
        var total = 0.0;
        foreach (var result in results)
        {
            var charge = result.Charge(policy);
            total += charge;
            writer.Record(result.ToRow(charge));
        }

        return new Reply(results.All(result => result.Outcome.IsSuccess) ? 200 : 207, writer.Written)
        {
            Charge = Math.Round(total, 2),
        }
        .With(Names.SessionToken, Session.Token(lsn))
        .With(Names.Lsn, lsn.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>
    /// An operation taken apart before the writer is asked; a malformed one fails as itself, in its place.
    /// </summary>
    sealed class Step(BatchOperation operation, Func<ItemTransaction, Outcome> work)
    {
        public static Step Prepare(BatchOperation operation, Container container, PartitionKey? key)
        {
            try
            {
                return new Step(operation, Work(operation, container, key));
            }
            catch (Refused refused)
            {
                return new Step(operation, _ => Of(refused));
            }
        }

        public BatchResult Run(ItemTransaction transaction)
        {
            Outcome outcome;
            try
            {
                outcome = work(transaction);
            }
            catch (Refused refused)
            {
                outcome = Of(refused);
            }

            return new BatchResult(operation, outcome, outcome);
        }

        static Outcome Of(Refused refused) =>
            new(refused.Status) { SubStatus = refused.SubStatus, Message = refused.Message };

        static Func<ItemTransaction, Outcome> Work(
            BatchOperation operation, Container container, PartitionKey? batchKey)
        {
            if (operation is { IfNoneMatch: not null, Kind: not BatchOperationKind.Read })
            {
                throw Refused.Unsupported("If-None-Match on a write");
            }

            var definition = container.Definition;
            var key = batchKey ?? PartitionKey.Parse(
                operation.PartitionKey ?? throw Refused.BadRequest("An operation on its own needs a partition key."),
                definition.PartitionKeyPaths.Count);
            var id = operation.Id ?? "";
            switch (operation.Kind)
            {
                case BatchOperationKind.Read:
                    return transaction => transaction.Read(key, id, operation.IfNoneMatch);
                case BatchOperationKind.Delete:
                    return transaction => transaction.Delete(key, id, operation.IfMatch);
                case BatchOperationKind.Patch:
                    var patch = Patch.Parse(operation.Body, QueryText.CompileCondition);
                    return transaction => transaction.Patch(key, id, patch, operation.IfMatch);
            }

            var draft = Draft.Parse(operation.Body, definition);
            if (draft.Key != key)
            {
                throw Refused.PartitionKeyMismatch();
            }

            return operation.Kind switch
            {
                BatchOperationKind.Create => transaction => transaction.Create(draft),
                BatchOperationKind.Upsert => transaction => transaction.Upsert(draft, operation.IfMatch),
                _ => transaction => transaction.Replace(key, id, draft, operation.IfMatch),
            };
        }
    }
}
