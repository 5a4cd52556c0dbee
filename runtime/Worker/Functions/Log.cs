using Microsoft.Extensions.Logging;

namespace Runtime.Worker;

/// <summary>What the host says about its functions, in the category <c>Function.{name}</c>.</summary>
static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Executing '{Function}' (Id={InvocationId})")]
    public static partial void Executing(ILogger logger, string function, string invocationId);

    [LoggerMessage(
        2, LogLevel.Information, "Executed '{Function}' (Succeeded, Id={InvocationId}, Duration={Milliseconds}ms)")]
    public static partial void Executed(ILogger logger, string function, string invocationId, long milliseconds);

    [LoggerMessage(3, LogLevel.Error, "Executed '{Function}' (Failed, Id={InvocationId}, Duration={Milliseconds}ms)")]
    public static partial void Failed(
        ILogger logger, Exception exception, string function, string invocationId, long milliseconds);

    [LoggerMessage(
        4, LogLevel.Information, "Executed '{Function}' (Cancelled, Id={InvocationId}, Duration={Milliseconds}ms)")]
    public static partial void Cancelled(ILogger logger, string function, string invocationId, long milliseconds);

    [LoggerMessage(6, LogLevel.Error, "Orchestrator '{Function}' failed (Id={InvocationId})")]
    public static partial void OrchestratorFailed(
        ILogger logger, Exception exception, string function, string invocationId);

    [LoggerMessage(7, LogLevel.Error, "The services of an orchestrator's turn could not be disposed")]
    public static partial void ReleaseFailed(ILogger logger, Exception exception);

    [LoggerMessage(5, LogLevel.Warning, "Retrying '{Function}': attempt {Retry} follows in {Pause}")]
    public static partial void Retrying(ILogger logger, string function, int retry, TimeSpan pause);
}
