using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Runtime.Cosmos.Charges;
using Runtime.Cosmos.Http;
using Runtime.Cosmos.Storage;

namespace Runtime.Cosmos.Batch;

/// <summary>What one operation of a batch is answered, and the work done for it, which may have been undone.</summary>
sealed record BatchResult(BatchOperation Operation, Outcome Outcome, Outcome? Work)
{
    const byte RetryAfterToken = 5;
    const byte ChargeToken = 6;

    static readonly Outcome Undone = new(424) { Message = "Another operation of the transaction failed." };
    static readonly BatchOperation NotRun = new(BatchOperationKind.Read);

    /// <summary>In place of an operation that was undone, or (without a result) never begun.</summary>
    public static BatchResult FailedDependency(BatchResult? done) =>
        new(done?.Operation ?? NotRun, Undone, done?.Work);

    public double Charge(IndexingPolicy policy) => Work switch
    {
        null => 0,
        _ when Operation.Kind == BatchOperationKind.Read => RequestUnits.OfRead(Work),
        _ => RequestUnits.Of(Work, policy),
    };

    public ReadOnlySpan<byte> ToRow(double charge)
    {
        var etag = Outcome.After?.ETag;
        var text = !Outcome.IsSuccess ? ErrorText.Of(Outcome)
            : Outcome is { After: { } item, Status: not 304 } && !Operation.IsMinimal ? item.Body : null;
        var row = new ArrayBufferWriter<byte>();
        row.Write([HybridRow.Version]);
        Write(row, HybridRow.ResultSchema);
        row.Write([(byte)(3 | (etag is null ? 0 : 4) | (text is null ? 0 : 8))]);
        Write(row, Outcome.Status);
        Write(row, Outcome.SubStatus);
        if (etag is not null)
        {
            Write(row, Encoding.UTF8.GetBytes(etag));
        }

        if (text is not null)
        {
            Write(row, text);
        }

        row.Write([HybridRow.UInt32Type, RetryAfterToken]);
        Write(row, 0);
        row.Write([HybridRow.Float64Type, ChargeToken]);
        BinaryPrimitives.WriteDoubleLittleEndian(row.GetSpan(8), charge);
        row.Advance(8);
        return row.WrittenSpan;
    }

    static void Write(ArrayBufferWriter<byte> row, int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(row.GetSpan(4), value);
        row.Advance(4);
    }

    static void Write(ArrayBufferWriter<byte> row, ReadOnlySpan<byte> value)
    {
        var length = (uint)value.Length;
        for (; length >= 0x80; length >>= 7)
        {
            row.Write([(byte)(length | 0x80)]);
        }

        row.Write([(byte)length]);
        row.Write(value);
    }
}
