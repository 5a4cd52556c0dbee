using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace EventSourcing;

/// <summary>A text is sealed with a key this vault never had: it is the wrong vault, and nothing is guessed.</summary>
public sealed class KeyMissingException(KeyName name)
    : InvalidOperationException($"The vault has no key {name} and did not forget it either: is it the right vault?");

/// <summary>
/// Seals the personal text of people and opens it again, as long as their keys are kept; afterwards it reads
/// <see cref="Erased"/>. Works on JSON, so nothing that carries a sealed text need know of it.
/// </summary>
/// <remarks>
/// Keys are remembered for <see cref="KeyAgeMax"/>: so long may another instance still open what one has just
/// forgotten. A vault restored without its keys refuses, unless told that missing keys are as good as forgotten.
/// </remarks>
public sealed class PersonalSeal(IKeyVault vault, TimeProvider clock, bool missingIsErased = false)
{
    public const string Erased = "erased";
    public const int KeysMax = 10_000;

    public static readonly TimeSpan KeyAgeMax = TimeSpan.FromMinutes(1);

    readonly ConcurrentDictionary<KeyName, (VaultKey Key, DateTimeOffset Until)> known = [];

    /// <summary>Makes every text sealed for the person read as erased, for ever.</summary>
    public async Task ForgetAsync(StreamId subject, CancellationToken cancellation)
    {
        var name = KeyName.Of(subject);
        await vault.ForgetAsync(name, cancellation);
        known.TryRemove(name, out _);
    }

    public async Task<bool> IsForgottenAsync(StreamId subject, CancellationToken cancellation) =>
        (await FindAsync(KeyName.Of(subject), cancellation)).State == KeyState.Forgotten;

    /// <summary>The text sealed for the person, or <see cref="Erased"/> when they are forgotten already.</summary>
    public async ValueTask<string> SealAsync(StreamId subject, string text, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(text);
        return await ForAsync(subject, cancellation) is { } seal ? seal(text) : Erased;
    }

    /// <summary>The JSON with every sealed text in it opened; the very same bytes when there is none.</summary>
    /// <exception cref="KeyMissingException">The vault is not the one these texts were sealed with.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> OpenAsync(
        ReadOnlyMemory<byte> json, CancellationToken cancellation)
    {
        if (json.Span.IndexOf(SealedText.JsonMark) < 0) return json;
        var places = SealedIn(json.Span);
        var keys = new Dictionary<KeyName, VaultKey>();
        foreach (var (_, _, text) in places)
        {
            if (!keys.ContainsKey(text.Key)) keys.Add(text.Key, await KeyToOpenAsync(text.Key, cancellation));
        }

        var opened = new ArrayBufferWriter<byte>(json.Length);
        var copied = 0;
        foreach (var (start, end, text) in places)
        {
            opened.Write(json.Span[copied..start]);
            opened.Write(JsonSerializer.SerializeToUtf8Bytes(
                keys[text.Key] is { State: KeyState.Kept, Bytes: var key } ? text.Open(key.Span) : Erased,
                StoredJson.Options));
            copied = end;
        }

        opened.Write(json.Span[copied..]);
        return opened.WrittenMemory;
    }

    internal async ValueTask<JsonElement> OpenAsync(JsonElement data, CancellationToken cancellation)
    {
        if (JsonMarshal.GetRawUtf8Value(data).IndexOf(SealedText.JsonMark) < 0) return data;
        var opened = await OpenAsync(JsonMarshal.GetRawUtf8Value(data).ToArray(), cancellation);
        return JsonSerializer.Deserialize<JsonElement>(opened.Span);
    }

    /// <summary>Null when the text was sealed for a person who is forgotten.</summary>
    internal async ValueTask<string?> OpenAsync(string text, CancellationToken cancellation) =>
        !SealedText.TryParse(text, out var found) ? text
        : await KeyToOpenAsync(found.Key, cancellation) is { State: KeyState.Kept, Bytes: var key }
            ? found.Open(key.Span)
            : null;

    /// <summary>What seals texts for this person, or null when they are forgotten.</summary>
    internal async ValueTask<Func<string, string>?> ForAsync(StreamId subject, CancellationToken cancellation)
    {
        var name = KeyName.Of(subject);
        var found = await FindAsync(name, cancellation);
        if (found.State == KeyState.Missing) found = Remember(name, await vault.ObtainAsync(name, cancellation));
        return found.State == KeyState.Forgotten ? null : text => SealedText.Close(name, found.Bytes.Span, text);
    }

    /// <summary>The data with the text of the personal members sealed, and everything else as it was.</summary>
    internal static JsonElement Seal(JsonElement data, Personal personal, Func<string, string> seal)
    {
        var sealedData = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(sealedData, new() { Encoder = StoredJson.Options.Encoder }))
        {
            writer.WriteStartObject();
            foreach (var member in data.EnumerateObject())
            {
                writer.WritePropertyName(member.Name);
                if (personal.Members.Contains(member.Name)) WriteSealed(writer, member.Name, member.Value, seal);
                else member.Value.WriteTo(writer);
            }

            writer.WriteEndObject();
        }

        return JsonSerializer.Deserialize<JsonElement>(sealedData.WrittenSpan);
    }

    static void WriteSealed(Utf8JsonWriter writer, string member, JsonElement value, Func<string, string> seal)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                writer.WriteStringValue(seal(value.GetString()!));
                break;
            case JsonValueKind.Null:
                writer.WriteNullValue();
                break;
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var inner in value.EnumerateObject())
                {
                    writer.WritePropertyName(inner.Name);
                    WriteSealed(writer, member, inner.Value, seal);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in value.EnumerateArray()) WriteSealed(writer, member, item, seal);
                writer.WriteEndArray();
                break;
            default:
                throw new InvalidOperationException(
                    $"The personal member {member} holds {value.ValueKind}: only text can be sealed.");
        }
    }

    /// <summary>Where the sealed texts stand, quotes included.</summary>
    static List<(int Start, int End, SealedText Text)> SealedIn(ReadOnlySpan<byte> json)
    {
        var places = new List<(int, int, SealedText)>();
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.String && reader.ValueIsEscaped
                && SealedText.TryParse(reader.GetString()!, out var text))
                places.Add(((int)reader.TokenStartIndex, (int)reader.BytesConsumed, text));
        }

        return places;
    }

    async ValueTask<VaultKey> KeyToOpenAsync(KeyName name, CancellationToken cancellation)
    {
        var found = await FindAsync(name, cancellation);
        return found.State != KeyState.Missing || missingIsErased ? found : throw new KeyMissingException(name);
    }

    async ValueTask<VaultKey> FindAsync(KeyName name, CancellationToken cancellation)
    {
        if (known.TryGetValue(name, out var remembered) && clock.GetUtcNow() < remembered.Until) return remembered.Key;
        return Remember(name, await vault.FindAsync(name, cancellation));
    }

    VaultKey Remember(KeyName name, VaultKey key)
    {
        // Only ever a saving of a read, so forgetting everything at the bound is good enough.
        if (known.Count >= KeysMax) known.Clear();
        if (key.State != KeyState.Missing) known[name] = (key, clock.GetUtcNow() + KeyAgeMax);
        return key;
    }
}
