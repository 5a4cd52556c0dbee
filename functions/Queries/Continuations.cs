using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using EventSourcing;
using Functions.Http;
using Microsoft.AspNetCore.Http;

namespace Functions.Queries;

/// <summary>
/// The places at which lists go on: unreadable, good only for the list they came from, and refused when anybody changed
/// them.
/// </summary>
/// <remarks>
/// Sealed with a key of their own that the vault makes once and the master key wraps: every instance reads every
/// other's places, before and after a deployment, and no setting is needed. A place names the last row that was sent,
/// never a number of rows, so that what is inserted meanwhile moves nothing. The nonce is a keyed hash of list and
/// place: the same page ends in the same text, so an unchanged page has an unchanged version.
/// </remarks>
public sealed class Continuations(IKeyVault vault)
{
    /// <summary>No hash of a person's stream is as long as this, so it can not be anybody's key.</summary>
    static readonly KeyName Name = new("continuations-of-lists");

    const int NonceBytes = 12;
    const int TagBytes = 16;
    const int LengthMax = 2_000;

    Keys? keys;

    /// <summary>
    /// The place the caller goes on from, null from the beginning. The list's name holds every filter: a place is good
    /// for no other list.
    /// </summary>
    internal async ValueTask<TPlace?> OpenAsync<TPlace>(
        HttpRequest request, string list, CancellationToken cancellation)
        where TPlace : class
    {
        if (Request.Query(request, "continuation", LengthMax) is not { } text) return null;
        if (!Base64Url.IsValid(text)) throw Foreign();
        var token = Base64Url.DecodeFromChars(text);
        if (token.Length <= NonceBytes + TagBytes) throw Foreign();
        var place = new byte[token.Length - NonceBytes - TagBytes];
        using var aes = new AesGcm((await KeysAsync(cancellation)).Seal, TagBytes);
        try
        {
            aes.Decrypt(
                token.AsSpan(0, NonceBytes), token.AsSpan(NonceBytes + TagBytes), token.AsSpan(NonceBytes, TagBytes),
                place, Encoding.UTF8.GetBytes(list));
        }
        catch (AuthenticationTagMismatchException)
        {
            throw Foreign();
        }

        return JsonSerializer.Deserialize<TPlace>(place, StoredJson.Options);
    }

    internal async ValueTask<string> SealAsync<TPlace>(string list, TPlace place, CancellationToken cancellation)
        where TPlace : class
    {
        var plain = JsonSerializer.SerializeToUtf8Bytes(place, StoredJson.Options);
        var token = new byte[NonceBytes + TagBytes + plain.Length];
        var (seal, nonce) = await KeysAsync(cancellation);
        HMACSHA256.HashData(nonce, (byte[])[.. Encoding.UTF8.GetBytes($"{list.Length}:{list}"), .. plain])
            .AsSpan(0, NonceBytes).CopyTo(token);
        using var aes = new AesGcm(seal, TagBytes);
        aes.Encrypt(
            token.AsSpan(0, NonceBytes), plain, token.AsSpan(NonceBytes + TagBytes), token.AsSpan(NonceBytes, TagBytes),
            Encoding.UTF8.GetBytes(list));
        return Base64Url.EncodeToString(token);
    }

    /// <summary>Asked of the vault once an instance: it never changes.</summary>
    async ValueTask<Keys> KeysAsync(CancellationToken cancellation)
    {
        if (keys is { } known) return known;
        var key = (await vault.ObtainAsync(Name, cancellation)).Bytes.ToArray();
        return keys = new(Derived(key, "seal"u8), Derived(key, "nonce"u8));
    }

    static byte[] Derived(byte[] key, ReadOnlySpan<byte> purpose)
    {
        var derived = new byte[IKeyVault.KeyBytes];
        HKDF.Expand(HashAlgorithmName.SHA256, key, derived, purpose);
        return derived;
    }

    static InvalidRequestException Foreign() => new(
        "invalid-continuation", "continuation is not one this API gave out for this list.");

    sealed record Keys(byte[] Seal, byte[] Nonce);
}
