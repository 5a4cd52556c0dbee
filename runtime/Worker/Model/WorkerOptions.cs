using Azure.Core.Serialization;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>Settings of the worker that an application may change.</summary>
public class WorkerOptions
{
    /// <summary>Turns payloads into parameters and durable inputs and outputs into text.</summary>
    public ObjectSerializer? Serializer { get; set; }
}

/// <summary>Collects the services and the middleware of an application.</summary>
public interface IFunctionsWorkerApplicationBuilder
{
    IServiceCollection Services { get; }

    IFunctionsWorkerApplicationBuilder Use(Func<FunctionExecutionDelegate, FunctionExecutionDelegate> middleware);
}
