using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace EventSourcing;

/// <summary>A person's key in a vault: short enough to stand in every sealed text, and no hint of who it is.</summary>
public readonly record struct KeyName(string Value)
{
    internal const int Bytes = 12;

    public static KeyName Of(StreamId subject) => Of(
        SHA256.HashData(Encoding.UTF8.GetBytes(subject.ToString())).AsSpan(0, Bytes));

    internal static KeyName Of(ReadOnlySpan<byte> hash) => new(Base64Url.EncodeToString(hash));

    public override string ToString() => Value;
}

public enum KeyState
{
    /// <summary>There never was such a key, or the vault is not the one the text was sealed with.</summary>
    Missing,

    Kept,

    /// <summary>It was forgotten, for ever: it is never made again.</summary>
    Forgotten,
}

/// <summary>What a vault knows of a key; the bytes are there only while it is kept.</summary>
public readonly record struct VaultKey(KeyState State, ReadOnlyMemory<byte> Bytes);

/// <summary>
/// Keeps one secret key a person until it is told to forget it. To forget is final and survives everything: a
/// forgotten key is remembered as forgotten.
/// </summary>
public interface IKeyVault
{
    const int KeyBytes = 32;

    /// <summary>
    /// The person's key, made now if there never was one: whoever asks first makes it, and all get the same.
    /// </summary>
    Task<VaultKey> ObtainAsync(KeyName name, CancellationToken cancellation);

    Task<VaultKey> FindAsync(KeyName name, CancellationToken cancellation);

    /// <summary>Safe to ask again, and before there is a key.</summary>
    Task ForgetAsync(KeyName name, CancellationToken cancellation);
}

/// <summary>A vault for tests and tools: it forgets everything when the process ends.</summary>
public sealed class InMemoryKeyVault : IKeyVault
{
    static readonly VaultKey Forgotten = new(KeyState.Forgotten, default);

    readonly ConcurrentDictionary<KeyName, VaultKey> keys = [];

    public Task<VaultKey> ObtainAsync(KeyName name, CancellationToken cancellation) => Task.FromResult(
        keys.GetOrAdd(name, _ => new(KeyState.Kept, RandomNumberGenerator.GetBytes(IKeyVault.KeyBytes))));

    public Task<VaultKey> FindAsync(KeyName name, CancellationToken cancellation) =>
        Task.FromResult(keys.GetValueOrDefault(name));

    public Task ForgetAsync(KeyName name, CancellationToken cancellation)
    {
        keys[name] = Forgotten;
        return Task.CompletedTask;
    }
}
