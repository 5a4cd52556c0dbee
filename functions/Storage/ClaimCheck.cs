using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace Functions.Storage;

/// <summary>What travels instead of a payload: which blob holds it, and how to know that it is the one.</summary>
/// <remarks>No address: whoever may fetch claims knows the account, and a message sends nobody elsewhere.</remarks>
public sealed record Claim(string Container, string Name, long Length, string Sha256, string ContentType);

/// <summary>Another payload was stored under the same message id: one of the two senders is wrong.</summary>
public sealed class ClaimConflictException(string message) : InvalidOperationException(message);

/// <summary>The payload is no longer there: the message outlived its claim, or the claim was never stored.</summary>
public sealed class ClaimMissingException(string message) : InvalidOperationException(message);

/// <summary>A reference that leads elsewhere, or to something else than was stored; nothing of it is used.</summary>
public sealed class ClaimRefusedException(string message) : InvalidOperationException(message);

/// <summary>
/// Carries payloads of any size by messages of a bounded one: what is too large is put into a blob named by the
/// message's id, and the message carries a <see cref="Claim"/>.
/// </summary>
/// <remarks>
/// Sending twice is safe: the same id with the same content is the same claim, and its blob's life begins anew. The
/// blob is there before the message is sent, so a crash in between leaves a blob nobody asks for. Claims are deleted by
/// the account's lifecycle rule, not by consumers: a topic has several, and none knows who is last.
/// </remarks>
public sealed class ClaimCheck(BlobStorage storage, int carriedBytesMax = ClaimCheck.CarriedBytesMax)
{
    /// <summary>The type of a message's body that is a claim.</summary>
    public const string ContentType = "application/vnd.claim-check+json";

    /// <summary>A message of Service Bus Standard has at most 256 KB, with its headers and properties.</summary>
    public const int CarriedBytesMax = 192 * 1024;

    /// <summary>What a consumer is ready to hold in memory.</summary>
    public const int PayloadBytesMax = 64 * 1024 * 1024;

    const int IdLengthMax = 128;
    const int AttemptsMax = 3;
    const string Sha256Key = "sha256";

    static readonly SearchValues<char> IdCharacters =
        SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_");

    static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>The body and content type to send: the given ones, or a claim for them.</summary>
    /// <exception cref="ClaimConflictException">The id stands for another payload.</exception>
    /// <exception cref="BlobStorageNotConfiguredException">It is too large, and there is no storage.</exception>
    public async Task<(ReadOnlyMemory<byte> Body, string ContentType)> PackAsync(
        string messageId, ReadOnlyMemory<byte> body, string contentType, CancellationToken cancellation)
    {
        if (contentType == ContentType)
            throw new ArgumentException("A claim is not packed again.", nameof(contentType));
        if (body.Length <= carriedBytesMax) return (body, contentType);
        if (body.Length > PayloadBytesMax)
            throw new ArgumentException($"A payload has at most {PayloadBytesMax} bytes.", nameof(body));
        if (!IsName(messageId))
            throw new ArgumentException(
                $"A message id is 1 to {IdLengthMax} letters, digits, dashes or underscores.", nameof(messageId));

        var container = await storage.ContainerAsync(BlobStorage.Claims, cancellation);
        var claim = new Claim(
            container.Name, messageId, body.Length, Convert.ToHexStringLower(SHA256.HashData(body.Span)), contentType);
        await StoreAsync(container.GetBlockBlobClient(messageId), claim, body, cancellation);
        return (JsonSerializer.SerializeToUtf8Bytes(claim, Options), ContentType);
    }

    /// <summary>The body and content type that were packed, whichever way they travelled.</summary>
    /// <exception cref="ClaimMissingException">It has expired.</exception>
    /// <exception cref="ClaimRefusedException">The claim, or what it leads to, is not right.</exception>
    public async Task<(ReadOnlyMemory<byte> Body, string ContentType)> UnpackAsync(
        ReadOnlyMemory<byte> body, string? contentType, CancellationToken cancellation)
    {
        if (contentType != ContentType) return (body, contentType ?? "");
        var container = await storage.ContainerAsync(BlobStorage.Claims, cancellation);
        var claim = Read(body.Span, container.Name);
        return (await FetchAsync(container.GetBlobClient(claim.Name), claim, cancellation), claim.ContentType);
    }

    static async Task StoreAsync(
        BlockBlobClient blob, Claim claim, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            await using var blocks = new BlockStream(blob, body.Length, cancellation);
            await blocks.WriteAsync(body, cancellation);
            if (await blocks.CommitAsync(claim.ContentType, _ => MetadataOf(claim)) is not null) return;

            // It may expire between the two questions, and then it is stored after all.
            if (await IsThereAsync(blob, claim, cancellation)) return;
            if (attempt == AttemptsMax)
                throw new ClaimConflictException($"The claim {claim.Name} comes and goes; others write it as well.");
        }
    }

    /// <summary>False when there is nothing of that name.</summary>
    static async Task<bool> IsThereAsync(BlockBlobClient blob, Claim claim, CancellationToken cancellation)
    {
        for (var isRenewed = false; ;)
        {
            try
            {
                var there = (await blob.GetPropertiesAsync(cancellationToken: cancellation)).Value;
                if (there.ContentLength != claim.Length || !there.Metadata.TryGetValue(Sha256Key, out var sha256)
                    || sha256 != claim.Sha256)
                    throw new ClaimConflictException(
                        $"The message {claim.Name} was sent with another payload; an id stands for one content.");
                if (isRenewed) return true;

                // A message told again lives as long as a new one, and so must its claim: this begins its time anew.
                await blob.SetMetadataAsync(
                    MetadataOf(claim), new BlobRequestConditions { IfMatch = there.ETag }, cancellation);
                return true;
            }
            catch (RequestFailedException gone) when (gone.Status == 404)
            {
                return false;
            }
            catch (RequestFailedException changed) when (changed.Status == 412)
            {
                // Somebody else began its time anew at this moment; what is left is to see that it is still the same.
                isRenewed = true;
            }
        }
    }

    static async Task<ReadOnlyMemory<byte>> FetchAsync(
        BlobClient blob, Claim claim, CancellationToken cancellation)
    {
        try
        {
            using var download = (await blob.DownloadStreamingAsync(new BlobDownloadOptions(), cancellation)).Value;

            // Before anything is read: nobody's memory is filled with what was not promised.
            if (download.Details.ContentLength != claim.Length)
                throw new ClaimRefusedException(
                    $"The payload of {claim.Name} has {download.Details.ContentLength} bytes, not {claim.Length}.");
            var payload = new byte[claim.Length];
            await download.Content.ReadExactlyAsync(payload, cancellation);
            return Convert.ToHexStringLower(SHA256.HashData(payload)) == claim.Sha256
                ? payload
                : throw new ClaimRefusedException($"The payload of {claim.Name} is not the one that was stored.");
        }
        catch (RequestFailedException missing) when (missing.Status == 404)
        {
            throw new ClaimMissingException(
                $"The payload of {claim.Name} is not there: it has expired, or was never stored.");
        }
    }

    /// <summary>
    /// A message comes from outside, so its claim opens this container alone, and no more of it than said.
    /// </summary>
    static Claim Read(ReadOnlySpan<byte> body, string container)
    {
        Claim? claim;
        try
        {
            claim = JsonSerializer.Deserialize<Claim>(body, Options);
        }
        catch (JsonException malformed)
        {
            throw new ClaimRefusedException($"This is no claim: {malformed.Message}");
        }

        return claim is not null && claim.Container == container && IsName(claim.Name)
            && claim.Length is >= 0 and <= PayloadBytesMax
            ? claim
            : throw new ClaimRefusedException(
                $"A claim names a payload of at most {PayloadBytesMax} bytes in {container}.");
    }

    static Dictionary<string, string> MetadataOf(Claim claim) => new() { [Sha256Key] = claim.Sha256 };

    static bool IsName(string text) =>
        text.Length is >= 1 and <= IdLengthMax && !text.AsSpan().ContainsAnyExcept(IdCharacters);
}
