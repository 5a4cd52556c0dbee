using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Runtime.Local;

/// <summary>An answer of the API: its status and its JSON, undefined when it had none.</summary>
public sealed record ApiAnswer(HttpStatusCode Status, JsonElement Body)
{
    public bool IsSuccess => (int)Status is >= 200 and < 300;

    /// <summary>Ends whoever can not go on without what was asked, with the answer that was given instead.</summary>
    public static void Demand(ApiAnswer answer)
    {
        if (!answer.IsSuccess) throw new InvalidOperationException($"Refused: {(int)answer.Status} {answer.Body}");
    }

    /// <summary>A text at a path such as <c>view.status</c>; null when it is not there.</summary>
    public string? Text(string path)
    {
        var element = Body;
        foreach (var name in path.Split('.'))
        {
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out element)) return null;
        }

        return element.ValueKind == JsonValueKind.Null ? null : element.ToString();
    }
}

/// <summary>Speaks to the running system the way any client does: over HTTP, with a key.</summary>
public sealed class Api(HttpClient http)
{
    public Task<ApiAnswer> PutAsync(string path, object body, CancellationToken cancellation) =>
        SendAsync(new(HttpMethod.Put, path) { Content = JsonContent.Create(body) }, cancellation);

    public Task<ApiAnswer> PostAsync(
        string path, object body, string? idempotencyKey, CancellationToken cancellation)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        if (idempotencyKey is not null) request.Headers.Add("Idempotency-Key", idempotencyKey);
        return SendAsync(request, cancellation);
    }

    /// <summary>Asks, and when a token is given waits up to ten seconds until the view has seen that write.</summary>
    public Task<ApiAnswer> GetAsync(string path, CancellationToken cancellation, string? token = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (token is not null) request.Headers.Add("X-Consistency-Token", token);
        if (token is not null) request.Headers.Add("Prefer", "wait=10");
        return SendAsync(request, cancellation);
    }

    /// <summary>The stored event types of a stream in order; empty when there is no such stream.</summary>
    public async Task<IReadOnlyList<JsonElement>> EventsAsync(string stream, CancellationToken cancellation)
    {
        var events = new List<JsonElement>();
        var first = $"/api/streams/{stream}?limit=500";
        for (var next = first; next is not null;)
        {
            var page = await GetAsync(next, cancellation);
            if (!page.IsSuccess) break;
            events.AddRange(page.Body.GetProperty("events").EnumerateArray());
            next = page.Text("continuation") is { } place ? $"{first}&continuation={place}" : null;
        }

        return events;
    }

    public async Task<ApiAnswer> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        using var response = await http.SendAsync(request, cancellation);
        var text = await response.Content.ReadAsStringAsync(cancellation);
        if (response.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) != true)
            return new(response.StatusCode, default);
        using var json = JsonDocument.Parse(text);
        return new(response.StatusCode, json.RootElement.Clone());
    }
}
