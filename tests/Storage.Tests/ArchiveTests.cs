using Azure.Core;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using EventSourcing;
using EventSourcing.Backup;
using Functions.Storage;

namespace Storage.Tests;

/// <summary>Archives: whole or not there, read back, never overwritten, restored only when right.</summary>
[Collection(nameof(BlobAccount))]
public sealed class ArchiveTests(BlobAccount account)
{
    const int LargeBytes = 60_000;

    static readonly CancellationToken None = CancellationToken.None;

    readonly StillClock clock = new();

    [BlobFact]
    public async Task What_was_archived_is_restored_exactly()
    {
        var (store, storage) = (await Samples.StoreAsync(streams: 10, LargeBytes), account.Storage());
        var archived = await (await ArchiveAsync(storage, store)).WriteAsync(None);

        Assert.Equal(("20300101T023000Z", "2030/01/01/023000.ndjson"), (archived.Archive, archived.Blob));
        Assert.Equal((200, true), (archived.Events, archived.IsVerified));
        Assert.InRange(archived.Bytes, BlockStream.BlockBytes + 1, 2 * BlockStream.BlockBytes);

        var copy = new InMemoryEventStore();
        var there = await ArchiveAsync(storage, copy);
        Assert.Equal([archived], (await there.ListAsync(null, null, 10, None)).Archives);
        Assert.Equal(200, await there.RestoreAsync(IdOf(archived), copy, resume: false, None));
        Assert.Equal(await Samples.AllAsync(store), await Samples.AllAsync(copy));

        await Assert.ThrowsAsync<StoreNotEmptyException>(
            () => there.RestoreAsync(IdOf(archived), copy, resume: false, None));
        Assert.Equal(200, await there.RestoreAsync(IdOf(archived), copy, resume: true, None));
    }

    [BlobFact]
    public async Task An_archive_that_was_interrupted_is_not_there()
    {
        var (store, storage) = (await Samples.StoreAsync(streams: 10, LargeBytes), account.Storage());
        var container = await storage.ContainerAsync(BlobStorage.Archive, None);

        // Breaks when everything but the end was sent, the first block among it.
        await Assert.ThrowsAsync<IOException>(
            async () => await (await ArchiveAsync(storage, new BreakingArchive(store, int.MaxValue))).WriteAsync(None));
        var blob = container.GetBlockBlobClient(new ArchiveId(clock.Now).BlobName);
        Assert.NotEmpty((await blob.GetBlockListAsync(BlockListTypes.All)).Value.UncommittedBlocks);
        Assert.False(await blob.ExistsAsync());
        Assert.Empty((await (await ArchiveAsync(storage, store)).ListAsync(null, null, 10, None)).Archives);

        // What it left behind is in nobody's way, not even under the same name.
        var archived = await (await ArchiveAsync(storage, store)).WriteAsync(None);
        Assert.Equal(archived.Bytes, (await blob.GetPropertiesAsync()).Value.ContentLength);
    }

    [BlobFact]
    public async Task An_archive_never_changes()
    {
        var storage = account.Storage();
        var first = await (await ArchiveAsync(storage, await Samples.StoreAsync(streams: 1))).WriteAsync(None);
        var second = await Assert.ThrowsAsync<ArchiveException>(
            async () => await (await ArchiveAsync(storage, await Samples.StoreAsync(streams: 2))).WriteAsync(None));
        Assert.Equal(ArchiveException.Exists, second.Code);

        var copy = new InMemoryEventStore();
        Assert.Equal(20, await (await ArchiveAsync(storage, copy)).RestoreAsync(IdOf(first), copy, false, None));
    }

    [BlobFact]
    public async Task An_archive_whose_last_answer_was_lost_is_known_to_be_written()
    {
        var options = new BlobClientOptions { Retry = { Delay = TimeSpan.FromMilliseconds(1) } };
        var wire = new LostAnswer();
        options.AddPolicy(wire, HttpPipelinePosition.PerRetry);
        var (store, storage) = (await Samples.StoreAsync(streams: 1), account.Storage(options));
        var archived = await (await ArchiveAsync(storage, store)).WriteAsync(None);
        Assert.True(wire.HasLost);
        Assert.Equal((20, true), (archived.Events, archived.IsVerified));
    }

    [BlobFact]
    public async Task Of_many_that_are_begun_in_one_second_one_is_kept_and_it_is_whole()
    {
        var storage = account.Storage();
        var outcomes = await Task.WhenAll(Enumerable.Range(1, 6).Select(async streams =>
        {
            try
            {
                return await (await ArchiveAsync(storage, await Samples.StoreAsync(streams))).WriteAsync(None);
            }
            catch (ArchiveException refused) when (refused.Code == ArchiveException.Exists)
            {
                return null;
            }
        }));
        var kept = Assert.Single(outcomes.OfType<Archived>());
        var copy = new InMemoryEventStore();
        Assert.Equal(
            kept.Events, await (await ArchiveAsync(storage, copy)).RestoreAsync(IdOf(kept), copy, false, None));
    }

    [BlobFact]
    public async Task What_reads_back_differently_is_no_archive()
    {
        var prefix = BlobAccount.NewPrefix();
        var options = new BlobClientOptions();
        options.AddPolicy(new BadWire(), HttpPipelinePosition.PerRetry);
        var store = await Samples.StoreAsync(streams: 1);
        var refused = await Assert.ThrowsAsync<ArchiveException>(async () =>
            await (await ArchiveAsync(account.Storage(options, prefix), store)).WriteAsync(None));
        Assert.Equal(ArchiveException.Damaged, refused.Code);

        var storage = account.Storage(prefix: prefix);
        Assert.Empty((await (await ArchiveAsync(storage, store)).ListAsync(null, null, 10, None)).Archives);
    }

    [BlobFact]
    public async Task A_damaged_or_unknown_archive_is_refused_and_nothing_of_it_is_stored()
    {
        var storage = account.Storage();
        var archived = await (await ArchiveAsync(storage, await Samples.StoreAsync(streams: 2))).WriteAsync(None);
        var container = await storage.ContainerAsync(BlobStorage.Archive, None);
        var bytes = (await container.GetBlobClient(archived.Blob).DownloadContentAsync()).Value.Content.ToArray();
        bytes[bytes.Length / 2] ^= 1;
        await Samples.OverwriteAsync(container, archived.Blob, bytes);

        var copy = new InMemoryEventStore();
        var there = await ArchiveAsync(storage, copy);
        Assert.Equal(ArchiveException.Damaged, (await Assert.ThrowsAsync<ArchiveException>(
            () => there.RestoreAsync(IdOf(archived), copy, false, None))).Code);
        Assert.Equal(ArchiveException.Unknown, (await Assert.ThrowsAsync<ArchiveException>(
            () => there.RestoreAsync(new(clock.Now.AddDays(1)), copy, false, None))).Code);
        Assert.Empty(await Samples.AllAsync(copy));
    }

    [BlobFact]
    public async Task Archives_are_listed_a_page_at_a_time_and_by_their_day()
    {
        var (store, storage) = (await Samples.StoreAsync(streams: 1), account.Storage());
        var archives = await ArchiveAsync(storage, store);
        for (var day = 0; day < 5; day++)
        {
            clock.Now = new DateTimeOffset(2030, 1, 29, 2, 30, 0, TimeSpan.Zero).AddDays(day);
            await archives.WriteAsync(None);
        }

        // Whatever else lies there is none of ours.
        await Samples.OverwriteAsync(
            await storage.ContainerAsync(BlobStorage.Archive, None), "2030/01/30/notes.txt", "notes"u8.ToArray());

        var (listed, continuation) = (new List<string>(), default(string));
        do
        {
            var page = await archives.ListAsync(null, continuation, 2, None);
            Assert.InRange(page.Archives.Count, 0, 2);
            listed.AddRange(page.Archives.Select(a => a.Archive));
            continuation = page.Continuation;
        }
        while (continuation is not null);
        Assert.Equal(
            [
                "20300129T023000Z", "20300130T023000Z", "20300131T023000Z", "20300201T023000Z", "20300202T023000Z",
            ],
            listed);
        Assert.Equal(3, (await archives.ListAsync("2030/01", null, 10, None)).Archives.Count);
    }

    [Theory]
    [InlineData("20300101T023000Z", true)]
    [InlineData("20301301T023000Z", false)]
    [InlineData("2030-01-01", false)]
    [InlineData("../../claims/x", false)]
    [InlineData("", false)]
    public void Only_the_name_of_an_archive_is_taken_for_one(string text, bool ok)
    {
        Assert.Equal(ok, ArchiveId.TryParse(text, out var id));
        if (ok) Assert.Equal(text, id.ToString());
    }

    async Task<ArchiveBlobs> ArchiveAsync(BlobStorage storage, IEventArchive events) =>
        new(await storage.ContainerAsync(BlobStorage.Archive, None), events, clock);

    static ArchiveId IdOf(Archived archived) =>
        ArchiveId.TryParse(archived.Archive, out var id) ? id : throw new FormatException(archived.Archive);
}
