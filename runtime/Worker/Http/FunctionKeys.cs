using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Runtime.Worker;

/// <summary>The keys that open one function, as digests that are compared in constant time.</summary>
sealed class FunctionKeys
{
    public const string FunctionKey = "Local:FunctionKey";
    public const string AdminKey = "Local:AdminKey";

    const string Header = "x-functions-key";
    const string Parameter = "code";

    // Azure's keys have 56 characters; whatever is longer than this was never a key and is not worth a digest.
    const int PresentedLengthMax = 256;

    readonly byte[][] digests;

    FunctionKeys(IEnumerable<string> keys) => digests = [.. keys.Select(Digest)];

    /// <summary>Null for a function that anybody may call.</summary>
    /// <exception cref="FunctionsRefusedException">No configured key could ever open the function.</exception>
    public static FunctionKeys? Of(TriggeredFunction function, AuthorizationLevel level, AppSettings settings)
    {
        var own = $"Local:FunctionKeys:{function.Name}";
        string?[] keys = level switch
        {
            AuthorizationLevel.Anonymous => [],
            AuthorizationLevel.Function => [settings[FunctionKey], settings[own], settings[AdminKey]],
            AuthorizationLevel.Admin => [settings[AdminKey]],
            _ => throw function.Refusal(
                $"authorization level {level} is not offered here; use Anonymous, Function or Admin."),
        };

        if (keys.Length > 0 && keys.All(key => key is null))
        {
            throw function.Refusal(level is AuthorizationLevel.Admin
                ? $"its level is Admin, but the setting '{AdminKey}' is missing, so nobody could call it."
                : $"its level is Function, but none of the settings '{FunctionKey}', '{own}' and '{AdminKey}' is " +
                  "there, so nobody could call it.");
        }

        return keys.Length == 0 ? null : new(keys.OfType<string>());
    }

    public bool Open(HttpRequest request)
    {
        var presented = request.Headers.TryGetValue(Header, out var header) ? header : request.Query[Parameter];
        if (presented.Count != 1 || presented[0] is not { Length: > 0 and <= PresentedLengthMax } key)
        {
            return false;
        }

        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        Digest(key, digest);

        // Every key is compared, whichever fits: the time tells nothing.
        var open = false;
        foreach (var known in digests)
        {
            open |= CryptographicOperations.FixedTimeEquals(known, digest);
        }

        return open;
    }

    static byte[] Digest(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    static void Digest(string key, Span<byte> digest)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(key.Length));
        SHA256.HashData(bytes.AsSpan(0, Encoding.UTF8.GetBytes(key, bytes)), digest);
        ArrayPool<byte>.Shared.Return(bytes, clearArray: true);
    }
}
