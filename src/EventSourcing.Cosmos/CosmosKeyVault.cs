using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Azure.Cosmos;

namespace EventSourcing.Cosmos;

/// <summary>
/// People's keys in one container, partition key <c>/id</c>, each wrapped by the master key: one point read a key.
/// </summary>
/// <remarks>
/// To forget is to put a tombstone in the key's place. Backups of this container are what a forgotten key could come
/// back from, so they are kept shorter than those of the events.
/// </remarks>
public sealed class CosmosKeyVault(Container container, IMasterKey master, TimeProvider clock) : IKeyVault
{
    static readonly ItemRequestOptions NoContent = new() { EnableContentResponseOnWrite = false };

    public async Task<VaultKey> ObtainAsync(KeyName name, CancellationToken cancellation)
    {
        var found = await FindAsync(name, cancellation);
        if (found.State != KeyState.Missing) return found;

        var key = RandomNumberGenerator.GetBytes(IKeyVault.KeyBytes);
        var document = new Document(name.Value, await master.WrapAsync(name, key, cancellation), clock.GetUtcNow());
        using var content = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(document, StoredJson.Options));
        using var response = await container.CreateItemStreamAsync(
            content, new PartitionKey(name.Value), NoContent, cancellation);
        Telemetry.Charged("make-key", response.Headers.RequestCharge);

        // Somebody made it, or had it forgotten, in between: theirs is the key, and this one never sealed anything.
        if (response.StatusCode == HttpStatusCode.Conflict) return await FindAsync(name, cancellation);
        response.EnsureSuccessStatusCode();
        return new(KeyState.Kept, key);
    }

    public async Task<VaultKey> FindAsync(KeyName name, CancellationToken cancellation)
    {
        using var response = await container.ReadItemStreamAsync(
            name.Value, new PartitionKey(name.Value), null, cancellation);
        Telemetry.Charged("read-key", response.Headers.RequestCharge);
        if (!Answers.IsFound(response)) return new(KeyState.Missing, default);
        var document = await JsonSerializer.DeserializeAsync<Document>(
            response.Content, StoredJson.Options, cancellation);
        return document!.Wrapped is { } wrapped
            ? new(KeyState.Kept, await master.UnwrapAsync(name, wrapped, cancellation))
            : new(KeyState.Forgotten, default);
    }

    public async Task ForgetAsync(KeyName name, CancellationToken cancellation)
    {
        var tombstone = new Document(name.Value, null, clock.GetUtcNow());
        using var content = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(tombstone, StoredJson.Options));
        using var response = await container.UpsertItemStreamAsync(
            content, new PartitionKey(name.Value), NoContent, cancellation);
        Telemetry.Charged("forget-key", response.Headers.RequestCharge);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>A key as stored, a storage contract; without a wrapped key it is forgotten.</summary>
    sealed record Document(
        string Id,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] byte[]? Wrapped,
        DateTimeOffset At);
}
