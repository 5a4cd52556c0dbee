using System.Runtime.CompilerServices;
using System.Text.Json;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Specialized;
using EventSourcing;
using EventSourcing.Tests;

namespace Storage.Tests;

/// <summary>A store with so many events, large enough for an archive of several blocks when asked.</summary>
static class Samples
{
    const int EventsInStream = 20;

    public static async Task<InMemoryEventStore> StoreAsync(int streams, int eventBytes = 100)
    {
        var store = new InMemoryEventStore();
        for (var at = 0; at < streams; at++)
        {
            var stream = StreamId.Of("sample", Guid.NewGuid().ToString("N"));
            Assert.Equal(AppendResult.Appended, await store.AppendAsync(
                stream, 0, [.. Enumerable.Range(1, EventsInStream).Select(n => Event(stream, n, eventBytes))], null,
                CancellationToken.None));
        }

        return store;
    }

    public static async Task<List<string>> AllAsync(IEventArchive archive) =>
        [.. (await archive.ReadAllAsync(null, CancellationToken.None).ToListAsync())
            .SelectMany(page => page.Events).Select(e => JsonSerializer.Serialize(e)).Order(StringComparer.Ordinal)];

    /// <summary>Puts something in the place of a blob, as nobody should.</summary>
    public static async Task OverwriteAsync(BlobContainerClient container, string name, byte[] bytes)
    {
        var (blob, block) = (container.GetBlockBlobClient(name), Convert.ToBase64String(Guid.NewGuid().ToByteArray()));
        await blob.StageBlockAsync(block, new MemoryStream(bytes), options: null, CancellationToken.None);
        await blob.CommitBlockListAsync([block], options: null, CancellationToken.None);
    }

    static StoredEvent Event(StreamId stream, long sequence, int bytes) => SampleEvent.Of(
        stream.ToString(), sequence, "sampled", new { filler = new string((char)('a' + (sequence % 26)), bytes) },
        "sampling", (int)sequence - 1);
}

/// <summary>A clock that stands still until it is set.</summary>
sealed class StillClock : TimeProvider
{
    public DateTimeOffset Now { get; set; } = new(2030, 1, 1, 2, 30, 0, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => Now;
}

/// <summary>Events that can not be read to the end: after so many pages the world breaks.</summary>
sealed class BreakingArchive(IEventArchive inner, int pages) : IEventArchive
{
    public async IAsyncEnumerable<ArchivePage> ReadAllAsync(
        string? continuation, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var read = 0;
        await foreach (var page in inner.ReadAllAsync(continuation, cancellation))
        {
            if (read++ == pages) throw new IOException("The world broke.");
            yield return page;
        }

        throw new IOException("The world broke at the end.");
    }

    public Task<IReadOnlyList<StoredEvent>> CorrelatedAsync(
        string correlationId, int limit, CancellationToken cancellation) =>
        inner.CorrelatedAsync(correlationId, limit, cancellation);
}

/// <summary>A wire that changes one byte of every archive that is read.</summary>
sealed class BadWire : HttpPipelinePolicy
{
    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) =>
        throw new NotSupportedException();

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        await ProcessNextAsync(message, pipeline);
        if (message.Request.Method != RequestMethod.Get || message.Response.ContentStream is not { } content
            || !message.Request.Uri.Path.EndsWith(".ndjson", StringComparison.Ordinal)) return;
        var bytes = new MemoryStream();
        await content.CopyToAsync(bytes);
        bytes.GetBuffer()[bytes.Length / 2] ^= 1;
        bytes.Position = 0;
        message.Response.ContentStream = bytes;
    }
}

/// <summary>A wire that breaks once, when the service has put a blob together and says so.</summary>
sealed class LostAnswer : HttpPipelinePolicy
{
    public bool HasLost { get; private set; }

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) =>
        throw new NotSupportedException();

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        await ProcessNextAsync(message, pipeline);
        if (HasLost || !message.Request.Uri.Query.Contains("comp=blocklist", StringComparison.Ordinal)) return;
        HasLost = true;
        throw new IOException("The connection broke.");
    }
}
