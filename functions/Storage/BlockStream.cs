using System.Buffers.Binary;
using System.Security.Cryptography;
using Azure;
using Azure.Storage;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace Functions.Storage;

/// <summary>
/// Writes a new blob a block at a time; it exists from <see cref="CommitAsync"/> on, whole, and before that not at all.
/// </summary>
/// <remarks>
/// The SDK's own write stream commits whatever it has when it is disposed or flushed, so a failure in the middle would
/// leave half a blob that looks like a whole one. Here the list of blocks is committed by one call at the end alone.
/// Blocks nobody commits are no blob, and the service drops them within a week.
/// </remarks>
/// <param name="blob">What is written.</param>
/// <param name="bytesMax">All there can be; what is smaller than a block takes no more memory than it is.</param>
/// <param name="cancellation">Stops between two blocks; there is no blob then.</param>
public sealed class BlockStream(BlockBlobClient blob, long bytesMax, CancellationToken cancellation) : Stream
{
    /// <summary>All that is held in memory. With 50,000 blocks a blob may have 390 GiB.</summary>
    public const int BlockBytes = 8 * 1024 * 1024;

    const string WriterKey = "writer";

    readonly byte[] block = new byte[Math.Min(bytesMax, BlockBytes)];
    readonly IncrementalHash sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    readonly List<string> ids = [];

    // Of two who write the same name at once, neither can put a block in the other's list, or take the other's blob
    // for its own.
    readonly Guid writer = Guid.CreateVersion7();
    int held;

    public long Bytes { get; private set; }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        sum.AppendData(buffer.Span);
        Bytes += buffer.Length;
        while (buffer.Length > 0)
        {
            var part = Math.Min(buffer.Length, block.Length - held);
            buffer[..part].CopyTo(block.AsMemory(held));
            (held, buffer) = (held + part, buffer[part..]);
            if (held == block.Length) await StageAsync(cancellationToken);
        }
    }

    /// <summary>Makes the blob out of all blocks, unless one of that name exists.</summary>
    /// <returns>
    /// The sum of all bytes as SHA-256 in hex, and the tag of the blob; null when there is one already.
    /// </returns>
    public async Task<(string Sha256, ETag Tag)?> CommitAsync(
        string contentType, Func<string, Dictionary<string, string>> metadata)
    {
        if (held > 0) await StageAsync(cancellation);
        var sha256 = Convert.ToHexStringLower(sum.GetHashAndReset());
        try
        {
            var committed = await blob.CommitBlockListAsync(
                ids,
                new CommitBlockListOptions
                {
                    HttpHeaders = new() { ContentType = contentType },
                    Metadata = new Dictionary<string, string>(metadata(sha256)) { [WriterKey] = $"{writer:N}" },
                    Conditions = new() { IfNoneMatch = ETag.All },
                },
                cancellation);
            return (sha256, committed.Value.ETag);
        }
        catch (RequestFailedException exists) when (IsTaken(exists))
        {
            // It may be our own: when the answer to a commit is lost, the client sends the commit again.
            var there = (await blob.GetPropertiesAsync(cancellationToken: cancellation)).Value;
            return there.Metadata.TryGetValue(WriterKey, out var by) && by == $"{writer:N}"
                ? (sha256, there.ETag)
                : null;
        }
    }

    /// <summary>Whoever commits first drops all other blocks, so those who come later may miss theirs.</summary>
    static bool IsTaken(RequestFailedException refused) =>
        refused.ErrorCode == BlobErrorCode.BlobAlreadyExists || refused.ErrorCode == BlobErrorCode.InvalidBlockList;

    /// <summary>
    /// The service compares the checksum, so a block that was damaged on its way is refused and sent again.
    /// </summary>
    async Task StageAsync(CancellationToken stop)
    {
        var id = new byte[20];
        writer.TryWriteBytes(id);
        BinaryPrimitives.WriteInt32BigEndian(id.AsSpan(16), ids.Count);
        var name = Convert.ToBase64String(id);
        using var content = new MemoryStream(block, 0, held, writable: false);
#pragma warning disable CA5351 // It guards against accidents on the wire, and is the sum the service knows.
        var checksum = MD5.HashData(block.AsSpan(0, held));
#pragma warning restore CA5351
        await blob.StageBlockAsync(
            name,
            content,
            new BlockBlobStageBlockOptions
            {
                TransferValidation = new()
                {
                    ChecksumAlgorithm = StorageChecksumAlgorithm.MD5,
                    PrecalculatedChecksum = checksum,
                },
            },
            stop);
        ids.Add(name);
        held = 0;
    }

    /// <summary>Does nothing: what is not a whole block waits for the next or for the end.</summary>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => Bytes;

    public override long Position { get => Bytes; set => throw new NotSupportedException(); }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("It is written asynchronously.");

    protected override void Dispose(bool disposing)
    {
        if (disposing) sum.Dispose();
        base.Dispose(disposing);
    }
}
