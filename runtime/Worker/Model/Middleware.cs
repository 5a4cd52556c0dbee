namespace Microsoft.Azure.Functions.Worker.Middleware;

/// <summary>The rest of the pipeline, ending in the function itself.</summary>
public delegate Task FunctionExecutionDelegate(FunctionContext context);

/// <summary>Runs around every invocation, whatever triggered it.</summary>
public interface IFunctionsWorkerMiddleware
{
    Task Invoke(FunctionContext context, FunctionExecutionDelegate next);
}
