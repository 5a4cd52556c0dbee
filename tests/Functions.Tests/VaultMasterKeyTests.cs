using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Azure.Core;
using EventSourcing;
using Functions.EventStore;
using static System.Buffers.Text.Base64Url;

namespace Functions.Tests;

/// <summary>
/// The master key in Key Vault, against a vault of the test's own that speaks the service's protocol.
/// </summary>
public sealed class VaultMasterKeyTests
{
    static readonly KeyName Name = new("customer-1");

    readonly byte[] key = RandomNumberGenerator.GetBytes(32);

    [Fact]
    public async Task A_wrapped_key_is_opened_again_under_its_name_alone()
    {
        using var vault = new Vault();
        using var http = new HttpClient(vault);
        var master = new VaultMasterKey(new("https://vault.example/keys/personal-data/1"), new Identity(), http);

        var wrapped = await master.WrapAsync(Name, key, default);

        Assert.NotEqual(key, wrapped);
        Assert.Equal(key, await master.UnwrapAsync(Name, wrapped, default));
        await Assert.ThrowsAsync<CryptographicException>(
            () => master.UnwrapAsync(new("customer-2"), wrapped, default));
        Assert.Equal("/keys/personal-data/1/wrapkey?api-version=7.4", vault.Asked[0]);
    }

    [Fact]
    public async Task A_vault_that_says_no_is_an_error()
    {
        using var vault = new Vault { Refuses = HttpStatusCode.Forbidden };
        using var http = new HttpClient(vault);
        var master = new VaultMasterKey(new("https://vault.example/keys/k"), new Identity(), http);
        await Assert.ThrowsAsync<HttpRequestException>(() => master.WrapAsync(Name, key, default));
    }

    [Theory]
    [InlineData(HttpStatusCode.TooManyRequests)]
    [InlineData(HttpStatusCode.ServiceUnavailable)]
    public async Task A_vault_that_is_busy_may_be_asked_again(HttpStatusCode busy)
    {
        using var vault = new Vault { Refuses = busy };
        using var http = new HttpClient(vault);
        var master = new VaultMasterKey(new("https://vault.example/keys/k"), new Identity(), http);
        await Assert.ThrowsAsync<MasterKeyUnavailableException>(() => master.UnwrapAsync(Name, key, default));
    }

    sealed class Identity : TokenCredential
    {
        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            new(requestContext.Scopes[0], DateTimeOffset.MaxValue);

        public override ValueTask<AccessToken> GetTokenAsync(
            TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            new(GetToken(requestContext, cancellationToken));
    }

    sealed class Vault : HttpMessageHandler
    {
        readonly RSA rsa = RSA.Create(3072);

        public HttpStatusCode? Refuses { get; init; }

        public List<string> Asked { get; } = [];

        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Asked.Add(request.RequestUri!.PathAndQuery);
            Assert.Equal("https://vault.azure.net/.default", request.Headers.Authorization!.Parameter);
            if (Refuses is { } status) return new(status);
            var body = await request.Content!.ReadFromJsonAsync<JsonObject>(cancellationToken);
            Assert.Equal("RSA-OAEP-256", (string?)body!["alg"]);
            var value = DecodeFromChars((string?)body["value"]);
            var result = request.RequestUri.AbsolutePath.EndsWith("/wrapkey", StringComparison.Ordinal)
                ? rsa.Encrypt(value, RSAEncryptionPadding.OaepSHA256)
                : rsa.Decrypt(value, RSAEncryptionPadding.OaepSHA256);
            return new(HttpStatusCode.OK)
            {
                Content = JsonContent.Create(new { kid = "1", value = EncodeToString(result) }),
            };
        }

        protected override void Dispose(bool disposing)
        {
            rsa.Dispose();
            base.Dispose(disposing);
        }
    }
}
