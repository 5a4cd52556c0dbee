using System.Net;
using System.Net.Http.Headers;

namespace Runtime.Cosmos.Http;

/// <summary>The pipeline as an HTTP message handler: a client in this process needs no socket.</summary>
sealed class InProcessHandler(Pipeline pipeline) : HttpMessageHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> body = request.Content is null
            ? default
            : await request.Content.ReadAsByteArrayAsync(cancellationToken);
        if (body.Length > CosmosLimits.RequestBytesMax)
        {
            return new HttpResponseMessage(HttpStatusCode.RequestEntityTooLarge) { RequestMessage = request };
        }

        var address = request.RequestUri!;
        var sent = new ServerRequest(
            request.Method.Method, address.AbsolutePath, name => Header(request, name), body,
            new Uri(address.GetLeftPart(UriPartial.Authority) + "/"));
        var reply = await pipeline.HandleAsync(sent, cancellationToken)
            ?? throw new HttpRequestException(HttpRequestError.ResponseEnded, "The answer was lost on the way.");
        var response = new HttpResponseMessage((HttpStatusCode)reply.Status)
        {
            RequestMessage = request,
            Content = new ReadOnlyMemoryContent(reply.Body),
        };
        response.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        foreach (var (name, value) in reply.Headers)
        {
            response.Headers.TryAddWithoutValidation(name, value);
        }

        return response;
    }

    static string? Header(HttpRequestMessage request, string name) =>
        request.Headers.NonValidated.TryGetValues(name, out var values) ||
        (request.Content?.Headers.NonValidated.TryGetValues(name, out values) ?? false)
            ? values.ToString()
            : null;
}
