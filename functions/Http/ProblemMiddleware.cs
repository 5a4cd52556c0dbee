using System.Net;
using Azure;
using Azure.Messaging.ServiceBus;
using EventSourcing;
using Functions.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Cosmos;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.Logging;

namespace Functions.Http;

/// <summary>
/// Carries out an HTTP function's answer, and answers what is thrown on the way: a bad request with its code, a busy
/// stream with 409, a struggling store with 503 and a hint when to come back, a stream that can not be read with its
/// name and sequence. Anything else is our own fault and goes on to the host, which logs it and answers 500.
/// </summary>
sealed class ProblemMiddleware(ILogger<ProblemMiddleware> log) : IFunctionsWorkerMiddleware
{
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        try
        {
            await next(context);
            await CarryOutAsync(context);
        }
        catch (Exception fault) when (context.GetHttpContext() is { Response.HasStarted: false } http
            && Answer(fault is AggregateException { InnerExceptions: [var only] } ? only : fault) is { } problem)
        {
            // Of an answer that failed half-way nothing may be left, such as its version.
            http.Response.Clear();
            if (fault is CosmosException or StreamBusyException or ServiceBusException or MasterKeyUnavailableException)
            {
                log.LogWarning(fault, "{Function} was turned away", context.FunctionDefinition.Name);
                http.Response.Headers.RetryAfter = "1";
            }
            else if (fault is UndecodableEventException or StreamGapException)
            {
                log.LogError(fault, "{Function} met a stream it can not read", context.FunctionDefinition.Name);
            }

            await problem.ExecuteAsync(http);
        }
        catch (Exception) when (context.GetHttpContext() is { Response: { HasStarted: false } response })
        {
            // Azure passes on the status that stands here when a function fails: 200 until somebody says otherwise.
            response.Clear();
            response.StatusCode = StatusCodes.Status500InternalServerError;
            throw;
        }
    }

    /// <summary>
    /// Left to the worker, an answer that fails while it is written would be past us, and each one would be written a
    /// second time: as JSON, for a host that has no use for it.
    /// </summary>
    static async Task CarryOutAsync(FunctionContext context)
    {
        if (context.GetHttpContext() is not { } http) return;
        var result = context.GetInvocationResult();
        if (result.Value is not IResult answer) return;
        result.Value = null;
        await answer.ExecuteAsync(http);
    }

    static IResult? Answer(Exception fault) => fault switch
    {
        InvalidRequestException { Status: { } status } e => Problem.Of(status, e.Refusal.Code, e.Refusal.Detail),
        InvalidRequestException e => Problem.Of(e.Refusal),
        StreamBusyException e => Problem.Of(409, "stream-busy", e.Message),
        AppendTooLargeException e => Problem.Of(413, "command-too-large", e.Message),
        BlobStorageNotConfiguredException e => Problem.Of(501, "blob-storage-not-configured", e.Message),
        RequestFailedException { Status: 0 or 429 or >= 500 } or AggregateException
        {
            InnerExceptions: [RequestFailedException, ..],
        } => Problem.Of(503, "blob-storage-unavailable", "Blob Storage did not answer; the request may be sent again."),
        MasterKeyUnavailableException e => Problem.Of(503, "key-vault-unavailable", e.Message),
        ClockBehindException e => Problem.Of(503, "clock-behind", e.Message),
        UndecodableEventException e => Problem.Of(500, "event-unreadable", e.Message),
        StreamGapException e => Problem.Of(500, "stream-damaged", e.Message),
        CosmosException { StatusCode: HttpStatusCode.TooManyRequests } =>
            Problem.Of(503, "store-busy", "The store is at its limit; try again shortly."),
        CosmosException { StatusCode: HttpStatusCode.ServiceUnavailable or HttpStatusCode.RequestTimeout } =>
            Problem.Of(503, "store-unavailable", "The store did not answer; the same request may be sent again."),
        ServiceBusException { IsTransient: true } =>
            Problem.Of(503, "broker-unavailable", "The broker did not answer; the same request may be sent again."),
        _ => null,
    };
}
