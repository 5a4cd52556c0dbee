using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace EventSourcing;

/// <summary>
/// A text sealed with a person's key, as text: it stands wherever the text would, in events, views, messages and
/// backups, and says by itself which key opens it.
/// </summary>
/// <remarks>
/// U+0002, the version 1, and in base64url the key's name and the sealed bytes. It begins with a control character
/// because no text accepted from outside can: nobody can pass a sealed text off as their own and have it opened.
/// </remarks>
readonly struct SealedText
{
    /// <summary>How any JSON writes U+0002, and how every sealed text begins in JSON.</summary>
    public static ReadOnlySpan<byte> JsonMark => "\\u00021"u8;

    const string Mark = "\u00021";

    readonly byte[] closed;

    SealedText(byte[] bytes)
    {
        Key = KeyName.Of(bytes.AsSpan(0, KeyName.Bytes));
        closed = bytes;
    }

    public KeyName Key { get; }

    public static string Close(KeyName name, ReadOnlySpan<byte> key, string text)
    {
        var sealedBytes = AesSeal.Close(key, Encoding.UTF8.GetBytes(text), Encoding.UTF8.GetBytes(name.Value));
        return Mark + Base64Url.EncodeToString([.. Base64Url.DecodeFromChars(name.Value), .. sealedBytes]);
    }

    /// <summary>False for a text that only looks like one: it is not ours, and stays as it is.</summary>
    public static bool TryParse(string text, out SealedText found)
    {
        found = default;
        if (!text.StartsWith(Mark, StringComparison.Ordinal)) return false;
        var encoded = text.AsSpan(Mark.Length);
        var bytes = new byte[Base64Url.GetMaxDecodedLength(encoded.Length)];
        if (!Base64Url.IsValid(encoded) || !Base64Url.TryDecodeFromChars(encoded, bytes, out var length)
            || length < KeyName.Bytes + AesSeal.OverheadBytes)
            return false;
        found = new(bytes[..length]);
        return true;
    }

    /// <exception cref="CryptographicException">It was changed since, or the vault holds another key.</exception>
    public string Open(ReadOnlySpan<byte> key) => Encoding.UTF8.GetString(
        AesSeal.Open(key, closed.AsSpan(KeyName.Bytes), Encoding.UTF8.GetBytes(Key.Value)));
}
