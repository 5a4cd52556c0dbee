using System.Reflection;
using System.Text.Json;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Runtime.Worker;

/// <summary>One kind of trigger: it recognises its attribute and turns a function into something that runs.</summary>
/// <remarks>HTTP, timers, the change feed and Durable are kinds of their own; others join through
/// <see cref="FunctionsHostOptions.Triggers"/>.</remarks>
public interface ITriggerKind
{
    /// <summary>The attribute that marks the trigger parameter.</summary>
    Type Attribute { get; }

    /// <summary>Whether <see cref="TriggeredFunction.InvokeAsync"/> may repeat a failed invocation.</summary>
    bool HonoursRetry { get; }

    /// <summary>The section of host.json's <c>extensions</c> that this kind reads, if any.</summary>
    string? HostJsonSection { get; }

    /// <summary>Binds the function's parameters and prepares its source; refuses what it cannot run.</summary>
    /// <exception cref="FunctionsRefusedException">The function, or a setting it needs, is not acceptable.</exception>
    ITriggerSource Attach(TriggeredFunction function, TriggerServices host);
}

/// <summary>Starts invocations of one function until it is stopped.</summary>
public interface ITriggerSource
{
    /// <summary>One line for people: an address, a schedule, a feed.</summary>
    string Description { get; }

    Task StartAsync(CancellationToken cancellation);

    /// <summary>Takes nothing new and returns when running invocations have finished.</summary>
    /// <remarks>When <paramref name="cancellation"/> fires the host cancels those that are still running.</remarks>
    Task StopAsync(CancellationToken cancellation);
}

/// <summary>What a kind of trigger may use of the host.</summary>
/// <param name="Services">The application's services.</param>
/// <param name="Settings">Application settings and %NAME% expansion.</param>
/// <param name="Clock">The only source of time.</param>
/// <param name="HostJson">The kind's own section of host.json, or null.</param>
public sealed record TriggerServices(
    IServiceProvider Services, AppSettings Settings, TimeProvider Clock, JsonElement? HostJson);

/// <summary>Gives a parameter its value for one invocation.</summary>
public delegate ValueTask<object?> ParameterBinder(FunctionContext context, object? payload);

/// <summary>One event for a function.</summary>
/// <param name="Payload">Handed to the parameter binders.</param>
public readonly record struct TriggerCall(object? Payload)
{
    public IReadOnlyDictionary<string, object?>? BindingData { get; init; }

    /// <summary>The W3C parent of the invocation; the current activity when absent.</summary>
    public string? TraceParent { get; init; }

    public string? TraceState { get; init; }

    /// <summary>Made up when absent.</summary>
    public string? InvocationId { get; init; }

    /// <summary>Once it is cancelled a running attempt still ends, but no further one is begun.</summary>
    public CancellationToken Stopping { get; init; }
}

/// <summary>A discovered function: what its trigger must bind, and how to invoke it.</summary>
public sealed class TriggeredFunction
{
    // Told apart by place: two hosts that start at once may be given different objects for one parameter.
    readonly Dictionary<ParameterInfo, ParameterBinder> binders = new(ByPosition);
    readonly List<ParameterInfo> unbound;

    internal TriggeredFunction(FunctionMethod source)
    {
        Source = source;
        unbound = [.. source.Method.GetParameters()];
    }

    public string Name => Source.Name;

    public MethodInfo Method => Source.Method;

    public TriggerBindingAttribute Trigger => Source.Trigger;

    /// <summary>The parameter that carries the trigger attribute.</summary>
    public ParameterInfo Parameter => Source.Parameter;

    public RetryAttribute? Retry => Source.Retry;

    /// <summary>Parameters that nobody has promised a value yet; one left over refuses the function.</summary>
    public IReadOnlyList<ParameterInfo> Unbound => unbound;

    internal FunctionMethod Source { get; }

    static readonly EqualityComparer<ParameterInfo> ByPosition =
        EqualityComparer<ParameterInfo>.Create((a, b) => a?.Position == b?.Position, p => p.Position);

    internal IReadOnlyDictionary<ParameterInfo, ParameterBinder> Binders => binders;

    /// <summary>Set once every parameter is bound.</summary>
    internal (Invocations Invocations, HostedFunction Hosted)? Host { get; set; }

    public void Bind(ParameterInfo parameter, ParameterBinder binder)
    {
        if (unbound.RemoveAll(other => other.Position == parameter.Position) == 0)
        {
            throw new InvalidOperationException($"{Name}: '{parameter.Name}' is bound already.");
        }

        binders.Add(parameter, binder);
    }

    /// <summary>Builds the refusal of this function, naming it and, if given, the parameter.</summary>
    public FunctionsRefusedException Refusal(string reason, ParameterInfo? parameter = null) => new(
        parameter is null
            ? $"Function '{Name}' ({Source.EntryPoint}): {reason}"
            : $"Function '{Name}' ({Source.EntryPoint}), parameter '{parameter.Name}': {reason}");

    /// <summary>Runs the function through all middleware and repeats it as its retry attribute says.</summary>
    /// <remarks>Throws what the last attempt threw, or <see cref="OperationCanceledException"/> when one of the tokens
    /// cut the attempts off: then the event has not had its chances and must come again.</remarks>
    public Task<object?> InvokeAsync(TriggerCall call, CancellationToken cancellation) => Host is { } host
        ? host.Invocations.InvokeAsync(host.Hosted, call, cancellation)
        : throw new InvalidOperationException($"{Name} has not been started by a host yet.");

    /// <summary>The same for orchestrator code, which lives on the engine's thread and may never end.</summary>
    internal Task<object?> OrchestrateAsync(TriggerCall call, CancellationToken cancellation) =>
        Host!.Value.Invocations.OrchestrateAsync(Host.Value.Hosted, call, cancellation);
}

/// <summary>One kind of output binding: it carries what a function gave back to somewhere else.</summary>
public interface IOutputKind
{
    /// <summary>The attribute on the method or on a property of its result.</summary>
    Type Attribute { get; }

    /// <summary>The section of host.json's <c>extensions</c> that this kind reads, if any.</summary>
    string? HostJsonSection { get; }

    /// <summary>Prepares sending for one function; refuses what it cannot send.</summary>
    OutputSender Attach(OutputBindingAttribute output, TriggeredFunction function, TriggerServices host);
}

/// <summary>Sends one output; the invocation fails when it throws.</summary>
public delegate Task OutputSender(object value, FunctionContext context);
