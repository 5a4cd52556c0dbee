using System.Security.Cryptography;
using System.Text;
using Functions.Storage;

namespace Storage.Tests;

/// <summary>A claim: the same for the same message, refused when it is not what it says, missing when it is gone.
/// </summary>
[Collection(nameof(BlobAccount))]
public sealed class ClaimTests(BlobAccount account)
{
    const string Json = "application/json";
    const int Carried = 1000;

    static readonly CancellationToken None = CancellationToken.None;

    static readonly byte[] Payload = RandomNumberGenerator.GetBytes(300_000);

    [BlobFact]
    public async Task What_is_small_travels_itself()
    {
        var (storage, claims) = Claims();
        var small = Payload[..Carried];
        Assert.Equal(small, await SentAsync(claims, small));
        var container = await storage.ContainerAsync(BlobStorage.Claims, None);
        Assert.Empty(await container.GetBlobsAsync().ToListAsync());
    }

    [BlobFact]
    public async Task What_is_large_is_stored_and_the_message_carries_a_reference_without_an_address()
    {
        var (_, claims) = Claims();
        var (body, type) = await claims.PackAsync("message-1", Payload, Json, None);
        Assert.Equal(ClaimCheck.ContentType, type);
        Assert.InRange(body.Length, 100, 400);
        Assert.DoesNotContain("http", Encoding.UTF8.GetString(body.Span), StringComparison.OrdinalIgnoreCase);

        var (back, backType) = await claims.UnpackAsync(body, type, None);
        Assert.Equal(Json, backType);
        Assert.Equal(Payload, back.ToArray());
    }

    [BlobFact]
    public async Task The_same_message_sent_again_is_the_same_claim_and_lives_anew()
    {
        var (storage, claims) = Claims();
        var sent = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => claims.PackAsync("message-1", Payload, Json, None)));
        Assert.Single(sent.Select(s => Encoding.UTF8.GetString(s.Body.Span)).Distinct());

        var blob = (await storage.ContainerAsync(BlobStorage.Claims, None)).GetBlobClient("message-1");
        var before = (await blob.GetPropertiesAsync()).Value;
        await claims.PackAsync("message-1", Payload, Json, None);
        var after = (await blob.GetPropertiesAsync()).Value;
        Assert.NotEqual(before.ETag, after.ETag);
        Assert.True(after.LastModified >= before.LastModified);
    }

    [BlobFact]
    public async Task Another_payload_under_the_same_id_is_refused_and_the_first_stays()
    {
        var (_, claims) = Claims();
        var (body, type) = await claims.PackAsync("message-1", Payload, Json, None);
        await Assert.ThrowsAsync<ClaimConflictException>(
            () => claims.PackAsync("message-1", RandomNumberGenerator.GetBytes(Payload.Length), Json, None));
        Assert.Equal(Payload, (await claims.UnpackAsync(body, type, None)).Body.ToArray());
    }

    [BlobFact]
    public async Task A_claim_that_expired_is_said_to_be_missing_and_can_be_stored_again()
    {
        var (storage, claims) = Claims();
        var (body, type) = await claims.PackAsync("message-1", Payload, Json, None);
        var container = await storage.ContainerAsync(BlobStorage.Claims, None);
        await container.DeleteBlobAsync("message-1");
        var missing = await Assert.ThrowsAsync<ClaimMissingException>(() => claims.UnpackAsync(body, type, None));
        Assert.Contains("message-1", missing.Message, StringComparison.Ordinal);

        await claims.PackAsync("message-1", Payload, Json, None);
        Assert.Equal(Payload, (await claims.UnpackAsync(body, type, None)).Body.ToArray());
    }

    [BlobFact]
    public async Task A_payload_that_is_not_the_one_that_was_stored_is_refused()
    {
        var (storage, claims) = Claims();
        var (body, type) = await claims.PackAsync("message-1", Payload, Json, None);
        var container = await storage.ContainerAsync(BlobStorage.Claims, None);

        var other = Payload.ToArray();
        other[^1] ^= 1;
        await Samples.OverwriteAsync(container, "message-1", other);
        await Assert.ThrowsAsync<ClaimRefusedException>(() => claims.UnpackAsync(body, type, None));
        await Samples.OverwriteAsync(container, "message-1", Payload[..^1]);
        await Assert.ThrowsAsync<ClaimRefusedException>(() => claims.UnpackAsync(body, type, None));
    }

    [BlobFact]
    public async Task A_claim_opens_its_own_container_alone_and_says_all_it_has_to()
    {
        var (storage, claims) = Claims();
        var own = (await storage.ContainerAsync(BlobStorage.Claims, None)).Name;
        var good = $$"""{"container":"{{own}}","name":"m","length":1,"sha256":"00","contentType":"x"}""";
        await Assert.ThrowsAsync<ClaimMissingException>(() => UnpackAsync(good));
        foreach (var (part, instead) in new[]
        {
            (own, "archive"),
            ("\"m\"", "\"../archive/2030\""),
            ("\"m\"", "\"\""),
            ("\"m\"", "null"),
            ("\"length\":1", "\"length\":-1"),
            ("\"length\":1", $"\"length\":{ClaimCheck.PayloadBytesMax + 1L}"),
            ("\"length\":1,", ""),
            ("\"length\":1", "\"length\":1,\"account\":\"other\""),
            (good, "null"),
            (good, "nonsense"),
        })
            await Assert.ThrowsAsync<ClaimRefusedException>(
                () => UnpackAsync(good.Replace(part, instead, StringComparison.Ordinal)));

        Task UnpackAsync(string claim) =>
            claims.UnpackAsync(Encoding.UTF8.GetBytes(claim), ClaimCheck.ContentType, None);
    }

    [Fact]
    public async Task Without_storage_small_messages_travel_and_large_ones_are_refused_by_name()
    {
        var claims = new ClaimCheck(new(service: null), Carried);
        Assert.Equal(Payload[..Carried], await SentAsync(claims, Payload[..Carried]));
        var refused = await Assert.ThrowsAsync<BlobStorageNotConfiguredException>(
            () => claims.PackAsync("message-1", Payload, Json, None));
        Assert.Contains("Blobs", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("..")]
    public async Task An_id_that_is_no_name_is_refused(string id) => await Assert.ThrowsAsync<ArgumentException>(
        () => new ClaimCheck(new(service: null), Carried).PackAsync(id, Payload, Json, None));

    static async Task<byte[]> SentAsync(ClaimCheck claims, byte[] body)
    {
        var packed = await claims.PackAsync("message-1", body, Json, None);
        var (back, type) = await claims.UnpackAsync(packed.Body, packed.ContentType, None);
        Assert.Equal(Json, type);
        return back.ToArray();
    }

    (BlobStorage Storage, ClaimCheck Claims) Claims()
    {
        var storage = account.Storage();
        return (storage, new(storage, Carried));
    }
}
