using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Http;

namespace Runtime.Worker.Tests;

public static class RoutingFunctions
{
    [Function("Plain")]
    public static IResult Plain([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request) =>
        TypedResults.Text(request.Method);

    [Function("ReadOrder")]
    public static IResult ReadOrder(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "orders/{id:guid}")] HttpRequest request, Guid id) =>
        TypedResults.Text($"read {id:N}");

    [Function("PutOrder")]
    public static Task<IResult> PutOrder(
        [HttpTrigger(AuthorizationLevel.Anonymous, "put", "POST", Route = "orders/{id:guid}")] HttpRequest request,
        Guid id) => Task.FromResult<IResult>(TypedResults.Text($"put {id:N}"));

    [Function("ByName")]
    public static IResult ByName(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "names/{name:maxlength(4)}")] HttpRequest request,
        string name) => TypedResults.Text(name);

    [Function("Typed")]
    public static IResult Typed(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "typed/{number}/{flag}/{when}/{amount}")]
        HttpRequest request, int number, bool flag, DateTimeOffset when, decimal amount) =>
        TypedResults.Text(FormattableString.Invariant($"{number} {flag} {when:O} {amount}"));

    [Function("Optional")]
    public static IResult Optional(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "optional/{page?}")] HttpRequest request,
        int page = 7) => TypedResults.Text($"{page}");

    [Function("Rest")]
    public static IResult Rest(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "files/{*path}")] HttpRequest request, string path) =>
        TypedResults.Text(path);

    [Function("Written")]
    public static async Task Written([HttpTrigger(AuthorizationLevel.Anonymous, "get")] HttpRequest request)
    {
        request.HttpContext.Response.StatusCode = 418;
        await request.HttpContext.Response.WriteAsync("by hand");
    }

    [Function("Silent")]
    public static void Silent([HttpTrigger(AuthorizationLevel.Anonymous, "get")] HttpRequest request) =>
        request.HttpContext.Response.StatusCode = 404;

    [Function("Valued")]
    public static ValueTask<IResult> Valued([HttpTrigger(AuthorizationLevel.Anonymous, "get")] HttpRequest request) =>
        new(TypedResults.Text("value task"));

    [Function("Echo")]
    public static IResult Echo(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post")] HttpRequest request, [FromBody] Order order) =>
        TypedResults.Ok(order);

    [Function("Two")]
    public static TwoResults Two([HttpTrigger(AuthorizationLevel.Anonymous, "get")] HttpRequest request) =>
        new(TypedResults.Text("from a property"));

    public sealed record Order(string Product, int Quantity);

    public sealed record TwoResults([property: HttpResult] IResult Answer);
}
