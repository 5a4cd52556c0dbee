using System.Security.Cryptography;
using System.Text;

namespace EventSourcing;

/// <summary>
/// The one key that wraps all others, so that a copy of the vault's documents opens nothing. It may live in a
/// hardware module: it only ever sees keys, never a person's text.
/// </summary>
public interface IMasterKey
{
    /// <exception cref="MasterKeyUnavailableException">Who keeps the master key does not answer now.</exception>
    Task<byte[]> WrapAsync(KeyName name, ReadOnlyMemory<byte> key, CancellationToken cancellation);

    /// <exception cref="CryptographicException">Another master key wrapped it, or it was edited.</exception>
    /// <exception cref="MasterKeyUnavailableException">Who keeps the master key does not answer now.</exception>
    Task<byte[]> UnwrapAsync(KeyName name, ReadOnlyMemory<byte> wrapped, CancellationToken cancellation);
}

/// <summary>Who keeps the master key does not answer now; nothing was written, and a repeat may succeed.</summary>
public sealed class MasterKeyUnavailableException(string message, Exception cause) : Exception(message, cause);

/// <summary>A master key held in memory: from a setting, or from a file that only its owner can read.</summary>
public sealed class AesMasterKey : IMasterKey
{
    readonly byte[] secret;

    public AesMasterKey(ReadOnlySpan<byte> secret) => this.secret = secret.Length == IKeyVault.KeyBytes
        ? secret.ToArray()
        : throw new ArgumentException($"A master key has {IKeyVault.KeyBytes} bytes.", nameof(secret));

    /// <summary>The key in the file, made with it when there is none.</summary>
    public static AesMasterKey OfFile(string path)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder) Directory.CreateDirectory(folder);
        if (!File.Exists(path)) Create(path);
        return new(Convert.FromBase64String(File.ReadAllText(path)));
    }

    public Task<byte[]> WrapAsync(KeyName name, ReadOnlyMemory<byte> key, CancellationToken cancellation) =>
        Task.FromResult(AesSeal.Close(secret, key.Span, Encoding.UTF8.GetBytes(name.Value)));

    public Task<byte[]> UnwrapAsync(KeyName name, ReadOnlyMemory<byte> wrapped, CancellationToken cancellation) =>
        Task.FromResult(AesSeal.Open(secret, wrapped.Span, Encoding.UTF8.GetBytes(name.Value)));

    /// <summary>Written aside and moved into place, so that of two processes that start at once one key wins.</summary>
    static void Create(string path)
    {
        var aside = $"{path}.{Guid.NewGuid():N}";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new StreamWriter(aside, Encoding.ASCII, options))
            file.Write(Convert.ToBase64String(RandomNumberGenerator.GetBytes(IKeyVault.KeyBytes)));
        try
        {
            File.Move(aside, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(aside);
        }
    }
}

/// <summary>AES-256-GCM with a random nonce in front: nonce, tag, ciphertext.</summary>
static class AesSeal
{
    public const int OverheadBytes = NonceBytes + TagBytes;

    const int NonceBytes = 12;
    const int TagBytes = 16;

    public static byte[] Close(ReadOnlySpan<byte> key, ReadOnlySpan<byte> plain, ReadOnlySpan<byte> bound)
    {
        var closed = new byte[OverheadBytes + plain.Length];
        var nonce = closed.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key, TagBytes);
        aes.Encrypt(
            nonce, plain, closed.AsSpan(OverheadBytes), closed.AsSpan(NonceBytes, TagBytes), bound);
        return closed;
    }

    /// <exception cref="CryptographicException">Not closed with this key, or changed since.</exception>
    public static byte[] Open(ReadOnlySpan<byte> key, ReadOnlySpan<byte> closed, ReadOnlySpan<byte> bound)
    {
        if (closed.Length < OverheadBytes) throw new CryptographicException("Too short to have been sealed.");
        var plain = new byte[closed.Length - OverheadBytes];
        using var aes = new AesGcm(key, TagBytes);
        aes.Decrypt(
            closed[..NonceBytes], closed[OverheadBytes..], closed.Slice(NonceBytes, TagBytes), plain, bound);
        return plain;
    }
}
