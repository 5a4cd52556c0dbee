using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using Azure.Core;
using EventSourcing;

namespace Functions.EventStore;

/// <summary>
/// The master key in Azure Key Vault, which never leaves it: keys are wrapped and unwrapped over its REST API with this
/// app's identity.
/// </summary>
/// <remarks>
/// RSA-OAEP binds no name to a key, so the name's hash is wrapped with it: a wrapped key moved to another person's
/// place is refused. See learn.microsoft.com/rest/api/keyvault/keys/wrap-key.
/// </remarks>
public sealed class VaultMasterKey(Uri key, TokenCredential identity, HttpClient http) : IMasterKey
{
    const string Algorithm = "RSA-OAEP-256";
    const string ApiVersion = "7.4";
    const int NameBytes = 16;

    static readonly TokenRequestContext Scope = new(["https://vault.azure.net/.default"]);

    sealed record Operation(string Alg, string Value);

    sealed record Result(string Value);

    public Task<byte[]> WrapAsync(KeyName name, ReadOnlyMemory<byte> key, CancellationToken cancellation) =>
        AskAsync("wrapkey", [.. Mark(name), .. key.Span], cancellation);

    public async Task<byte[]> UnwrapAsync(KeyName name, ReadOnlyMemory<byte> wrapped, CancellationToken cancellation)
    {
        var opened = await AskAsync("unwrapkey", wrapped.ToArray(), cancellation);
        return opened.AsSpan().StartsWith(Mark(name))
            ? opened[NameBytes..]
            : throw new CryptographicException("The key was wrapped under another name.");
    }

    async Task<byte[]> AskAsync(string operation, byte[] value, CancellationToken cancellation)
    {
        var token = await identity.GetTokenAsync(Scope, cancellation);
        using var request = new HttpRequestMessage(
            HttpMethod.Post, $"{key.AbsoluteUri.TrimEnd('/')}/{operation}?api-version={ApiVersion}")
        {
            Content = JsonContent.Create(new Operation(Algorithm, ToBase64Url(value))),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.Token);
        try
        {
            using var response = await http.SendAsync(request, cancellation);
            response.EnsureSuccessStatusCode();
            var result = await response.Content.ReadFromJsonAsync<Result>(cancellation);
            return FromBase64Url(result!.Value);
        }
        catch (Exception fault) when (IsPassing(fault, cancellation))
        {
            throw new MasterKeyUnavailableException("Key Vault does not answer now.", fault);
        }
    }

    // No answer, one that came too late, or one that says to come back; everything else stays wrong.
    static bool IsPassing(Exception fault, CancellationToken cancellation) => fault switch
    {
        HttpRequestException { StatusCode: var status } => status is null or HttpStatusCode.TooManyRequests
            or HttpStatusCode.RequestTimeout or >= HttpStatusCode.InternalServerError,
        OperationCanceledException => !cancellation.IsCancellationRequested,
        _ => false,
    };

    static byte[] Mark(KeyName name) => SHA256.HashData(Encoding.UTF8.GetBytes(name.Value))[..NameBytes];

    static string ToBase64Url(byte[] value) => System.Buffers.Text.Base64Url.EncodeToString(value);

    static byte[] FromBase64Url(string value) => System.Buffers.Text.Base64Url.DecodeFromChars(value);
}
