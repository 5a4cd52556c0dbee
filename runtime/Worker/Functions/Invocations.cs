using System.Collections;
using System.Diagnostics;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Runtime.Worker;

/// <summary>Runs functions through the middleware; every kind of trigger ends here.</summary>
sealed class Invocations(
    FunctionExecutionDelegate pipeline, IServiceProvider services, TimeProvider clock,
    TimeProvider timeoutClock, TimeSpan timeout)
{
    public const string SourceName = "Runtime.Worker";

    static readonly ActivitySource source = new(SourceName);

    readonly IServiceScopeFactory scopes = services.GetRequiredService<IServiceScopeFactory>();
    readonly ILoggerFactory loggers = services.GetRequiredService<ILoggerFactory>();

    public HostedFunction Host(TriggeredFunction function, IReadOnlyList<(string Name, OutputSender Send)> outputs) =>
        new(function, new(function.Source), new(function), outputs, loggers.CreateLogger($"Function.{function.Name}"));

    public async Task<object?> InvokeAsync(HostedFunction function, TriggerCall call, CancellationToken cancellation)
    {
        if (function.Retries is not { } retries)
        {
            return await AttemptAsync(function, call, Attempt.Only, cancellation);
        }

        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await AttemptAsync(function, call, new(attempt, retries.Max), cancellation);
            }
            catch (Exception) when (!cancellation.IsCancellationRequested && retries.Allow(attempt))
            {
                var pause = retries.PauseAfter(attempt);
                Log.Retrying(function.Logger, function.Name, attempt + 1, pause);
                using var stopped = CancellationTokenSource.CreateLinkedTokenSource(cancellation, call.Stopping);
                await Task.Delay(pause, clock, stopped.Token);
            }
        }
    }

    async Task<object?> AttemptAsync(
        HostedFunction function, TriggerCall call, Attempt attempt, CancellationToken cancellation)
    {
        var id = call.InvocationId ?? Guid.NewGuid().ToString();
        var outcome = new InvocationOutcome(call.Payload, function.Compiled);
        var started = timeoutClock.GetTimestamp();
        using var activity = StartActivity(function, call, id);
        using var overtime = new CancellationTokenSource(timeout, timeoutClock);
        using var linked = cancellation.UnsafeRegister(static o => ((CancellationTokenSource)o!).Cancel(), overtime);
        using var scope = function.Logger.BeginScope(new LogScope(function.Name, id));
        await using var context = new Invocation(
            function.Definition, outcome, scopes, id, call,
            new InvocationTrace(activity.Id!, activity.TraceStateString ?? ""), attempt, overtime.Token);
        Log.Executing(function.Logger, function.Name, id);

        try
        {
            await pipeline(context);
            await function.SendAsync(outcome, context);
            Log.Executed(function.Logger, function.Name, id, Milliseconds(started));
            return outcome.Value;
        }
        catch (OperationCanceledException e) when (
            overtime.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            var late = new TimeoutException(
                $"Function '{function.Name}' ran longer than {timeout} and was cancelled.", e);
            activity.SetStatus(ActivityStatusCode.Error, nameof(TimeoutException));
            Log.Failed(function.Logger, late, function.Name, id, Milliseconds(started));
            throw late;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The caller went away or the host is stopping: nobody waits for this any more, and nothing is broken.
            Log.Cancelled(function.Logger, function.Name, id, Milliseconds(started));
            throw;
        }
        catch (Exception e)
        {
            activity.SetStatus(ActivityStatusCode.Error, e.GetType().Name);
            Log.Failed(function.Logger, e, function.Name, id, Milliseconds(started));
            throw;
        }
    }

    /// <summary>Runs orchestrator code: on the engine's thread, without a time limit, perhaps not to its end.</summary>
    /// <remarks>When an instance leaves memory its code is abandoned where it waits, so nothing here may need a
    /// finally. Nothing may be awaited either but the code itself: the engine would take it for a forbidden
    /// await.</remarks>
    public async Task<object?> OrchestrateAsync(
        HostedFunction function, TriggerCall call, CancellationToken cancellation)
    {
        var id = Guid.NewGuid().ToString();
        var outcome = new InvocationOutcome(call.Payload, function.Compiled);
        var activity = StartActivity(function, call, id);
        var context = new Invocation(
            function.Definition, outcome, scopes, id, call,
            new InvocationTrace(activity.Id!, activity.TraceStateString ?? ""), Attempt.Only, cancellation);
        try
        {
            await pipeline(context);
            return outcome.Value;
        }
        catch (Exception e)
        {
            activity.SetStatus(ActivityStatusCode.Error, e.GetType().Name);
            Log.OrchestratorFailed(function.Logger, e, function.Name, id);
            throw;
        }
        finally
        {
            activity.Dispose();
            context.Release(function.Logger);
        }
    }

    long Milliseconds(long started) => (long)timeoutClock.GetElapsedTime(started).TotalMilliseconds;

    // Every invocation has an activity, listened to or not: a function may store its id as somebody's trace parent.
    static Activity StartActivity(HostedFunction function, TriggerCall call, string id)
    {
        var known = ActivityContext.TryParse(call.TraceParent, call.TraceState, isRemote: true, out var parent);
        var activity = source.CreateActivity(function.Name, function.ActivityKind, parent);
        if (activity is null)
        {
            activity = new Activity(function.Name).SetIdFormat(ActivityIdFormat.W3C);
            if (known)
            {
                activity.SetParentId(parent.TraceId, parent.SpanId, parent.TraceFlags);
                activity.TraceStateString = parent.TraceState;
            }
        }

        activity.SetTag("faas.name", function.Name);
        activity.SetTag("faas.invocation_id", id);
        activity.SetTag("faas.trigger", function.Kind);
        return activity.Start();
    }

    sealed class LogScope(string function, string id) : IReadOnlyList<KeyValuePair<string, object?>>
    {
        public int Count => 2;

        public KeyValuePair<string, object?> this[int index] =>
            index == 0 ? new("FunctionName", function) : new("InvocationId", id);

        public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
        {
            yield return this[0];
            yield return this[1];
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        public override string ToString() => $"FunctionName:{function} InvocationId:{id}";
    }
}

/// <summary>A function with everything that running it needs.</summary>
sealed class HostedFunction(
    TriggeredFunction function, Definition definition, CompiledFunction compiled,
    IReadOnlyList<(string Name, OutputSender Send)> outputs, ILogger logger)
{
    public string Name { get; } = function.Name;

    public Definition Definition => definition;

    public CompiledFunction Compiled => compiled;

    public ILogger Logger => logger;

    public string Kind => definition.TriggerKind;

    public ActivityKind ActivityKind { get; } =
        function.Trigger is HttpTriggerAttribute ? ActivityKind.Server : ActivityKind.Consumer;

    public Retries? Retries { get; } = Retries.From(function.Retry);

    /// <summary>Outputs leave after all middleware, as on Azure, and before the invocation counts as done.</summary>
    public async Task SendAsync(InvocationOutcome outcome, FunctionContext context)
    {
        foreach (var (name, send) in outputs)
        {
            if (outcome.Outputs.GetValueOrDefault(name) is { } value)
            {
                await send(value, context);
            }
        }
    }
}

/// <summary>A retry attribute as arithmetic.</summary>
sealed record Retries(int Max, TimeSpan Minimum, TimeSpan Maximum)
{
    public static Retries? From(RetryAttribute? attribute) => attribute switch
    {
        null => null,
        FixedDelayRetryAttribute @fixed => new(@fixed.MaxRetryCount, @fixed.Delay, @fixed.Delay),
        ExponentialBackoffRetryAttribute growing => new(growing.MaxRetryCount, growing.Minimum, growing.Maximum),
        _ => throw new FunctionsRefusedException($"{attribute.GetType()} is not a retry attribute of the SDK."),
    };

    public bool Allow(int attempt) => Max < 0 || attempt < Max;

    // The shift is bounded: 2^30 times any pause exceeds every maximum that makes sense.
    public TimeSpan PauseAfter(int attempt) =>
        TimeSpan.FromTicks((long)Math.Min(Maximum.Ticks, (double)Minimum.Ticks * (1L << Math.Min(attempt, 30))));
}
