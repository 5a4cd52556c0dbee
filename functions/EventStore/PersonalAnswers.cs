using EventSourcing;
using Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace Functions.EventStore;

/// <summary>
/// Opens personal text at the last moment, when an answer leaves: events, views and histories hold it sealed, so what
/// a forgotten key erases is erased in all of them at once.
/// </summary>
sealed class PersonalAnswers(PersonalSeal seal) : IFunctionsWorkerMiddleware
{
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        await next(context);
        if (context.GetHttpContext() is null) return;

        // Only what is one JSON value; a stream of any length passes by.
        var result = context.GetInvocationResult();
        if (result.Value is IResult answer and IValueHttpResult) result.Value = new Opened(answer, seal);
    }

    sealed class Opened(IResult answer, PersonalSeal seal) : IResult, IValueHttpResult
    {
        public object? Value => ((IValueHttpResult)answer).Value;

        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            var body = await HeldBack.BodyAsync(answer, httpContext);
            var json = await seal.OpenAsync(body, httpContext.RequestAborted);
            response.ContentLength = json.Length;
            await response.Body.WriteAsync(json, httpContext.RequestAborted);
        }
    }
}
