using Microsoft.AspNetCore.Http;

namespace Functions.Http;

/// <summary>Holds an answer's body back, so that it can still be changed, or not be sent at all.</summary>
static class HeldBack
{
    /// <summary>Status and headers are set as the answer says; the body is the caller's to send.</summary>
    public static async Task<ReadOnlyMemory<byte>> BodyAsync(IResult answer, HttpContext http)
    {
        var response = http.Response;
        var (outside, inside) = (response.Body, new MemoryStream());
        response.Body = inside;
        try
        {
            await answer.ExecuteAsync(http);
        }
        finally
        {
            // A fault is answered by others, and to the caller.
            response.Body = outside;
        }

        return inside.GetBuffer().AsMemory(0, (int)inside.Length);
    }
}
