using System.Text;
using Runtime.Cosmos.Http;

namespace Runtime.Cosmos.Batch;

enum BatchOperationKind
{
    Create = 0,
    Patch = 1,
    Read = 2,
    Delete = 4,
    Replace = 5,
    Upsert = 20,
}

/// <summary>One operation of a batch as it was sent.</summary>
sealed record BatchOperation(BatchOperationKind Kind)
{
    public string? PartitionKey { get; init; }

    public string? Id { get; init; }

    public ReadOnlyMemory<byte> Body { get; init; }

    public string? IfMatch { get; init; }

    public string? IfNoneMatch { get; init; }

    public bool IsMinimal { get; init; }

    public static List<BatchOperation> ParseAll(ReadOnlySpan<byte> body)
    {
        var reader = new HybridRowReader(body);
        reader.Expect(HybridRow.SegmentSchema);
        reader.Take(HybridRow.SegmentBytes - 5);
        var operations = new List<BatchOperation>();
        while (!reader.IsAtEnd)
        {
            reader.Expect(HybridRow.RecordSchema);
            var length = reader.Int32();
            var checksum = reader.UInt32();
            var row = reader.Take(length);
            if (Crc32.Hash(row) != checksum)
            {
                throw Refused.BadRequest("An operation of the batch does not match its checksum.");
            }

            operations.Add(Parse(row));
            if (operations.Count > CosmosLimits.BatchOperationsMax)
            {
                throw Refused.BadRequest($"A batch has at most {CosmosLimits.BatchOperationsMax} operations.");
            }
        }

        return operations.Count > 0 ? operations : throw Refused.BadRequest("A batch has at least one operation.");
    }

    static BatchOperation Parse(ReadOnlySpan<byte> row)
    {
        var reader = new HybridRowReader(row);
        reader.Expect(HybridRow.OperationSchema);
        var presence = reader.Byte();
        var kind = (BatchOperationKind)reader.Int32();
        // The resource type: only items can be in a batch.
        reader.Take(4);
        var operation = new BatchOperation(Enum.IsDefined(kind)
            ? kind
            : throw Refused.Unsupported($"The batch operation type {(int)kind}"))
        {
            PartitionKey = Has(presence, 2) ? reader.Utf8() : null,
        };
        if (Has(presence, 3))
        {
            // The effective partition key: derived from the key, so not believed.
            reader.Variable();
        }

        operation = operation with { Id = Has(presence, 4) ? reader.Utf8() : null };
        if (Has(presence, 5))
        {
            operation = operation with { Id = Encoding.UTF8.GetString(reader.Variable()) };
        }

        operation = operation with { Body = Has(presence, 6) ? reader.Variable().ToArray() : default };
        while (!reader.IsAtEnd)
        {
            operation = Sparse(ref reader, operation);
        }

        return operation;
    }

    static BatchOperation Sparse(ref HybridRowReader reader, BatchOperation operation)
    {
        var type = reader.Byte();
        var token = reader.Varint();
        if (token >= 13)
        {
            throw Refused.Unsupported("A batch operation with a field outside its schema");
        }

        switch (type)
        {
            case HybridRow.TrueType or HybridRow.FalseType:
                return token == 12 ? operation with { IsMinimal = type == HybridRow.TrueType } : operation;
            case HybridRow.Int32Type or HybridRow.UInt32Type:
                reader.Take(4);
                return operation;
            case HybridRow.Float64Type:
                reader.Take(8);
                return operation;
            case HybridRow.Utf8Type:
                var text = reader.Utf8();
                return token switch
                {
                    9 => operation with { IfMatch = text },
                    10 => operation with { IfNoneMatch = text },
                    _ => operation,
                };
            default:
                throw Refused.Unsupported($"A batch operation with a field of type {type}");
        }
    }

    static bool Has(byte presence, int bit) => (presence & (1 << bit)) != 0;
}
