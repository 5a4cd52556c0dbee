using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Runtime.Cosmos.Tests;

public sealed record RawAnswer(HttpStatusCode Status, string Body, IReadOnlyDictionary<string, string> Headers);

/// <summary>Signs and sends requests the SDK would never send.</summary>
public sealed class RawClient(HttpClient client, string key)
{
    const string Date = "thu, 01 jan 2026 00:00:00 gmt";

    public async Task<RawAnswer> SendAsync(
        string method, string path, byte[]? body = null, params (string Name, string Value)[] headers)
    {
        var segments = path.Trim('/').Split('/', StringSplitOptions.RemoveEmptyEntries);
        var type = segments.Length == 0 ? "" : segments.Length % 2 == 1 ? segments[^1] : segments[^2];
        var named = segments[..(segments.Length / 2 * 2)];
        var link = type == "offers" ? "" : string.Join('/', named.Select(Uri.UnescapeDataString));
        var signed = Encoding.UTF8.GetBytes($"{method.ToLowerInvariant()}\n{type}\n{link}\n{Date}\n\n");
        var signature = Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(key), signed));
        using var request = new HttpRequestMessage(new HttpMethod(method), client.BaseAddress + path.TrimStart('/'));
        request.Content = body is null ? null : new ByteArrayContent(body);
        request.Headers.TryAddWithoutValidation("x-ms-date", Date);
        request.Headers.TryAddWithoutValidation(
            "authorization", Uri.EscapeDataString($"type=master&ver=1.0&sig={signature}"));
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var answer = await client.SendAsync(request);
        return new RawAnswer(
            answer.StatusCode, await answer.Content.ReadAsStringAsync(),
            answer.Headers.ToDictionary(
                header => header.Key, header => header.Value.First(), StringComparer.OrdinalIgnoreCase));
    }

    public Task<RawAnswer> SendAsync(
        string method, string path, string body, params (string Name, string Value)[] headers) =>
        SendAsync(method, path, Encoding.UTF8.GetBytes(body), headers);

    public Task<RawAnswer> QueryAsync(string path, object query, params (string Name, string Value)[] headers) =>
        SendAsync("POST", path, JsonSerializer.SerializeToUtf8Bytes(query),
            [("x-ms-documentdb-isquery", "True"), ("x-ms-documentdb-query-enablecrosspartition", "True"), .. headers]);
}
