using System.Collections;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Runtime.Worker;

/// <summary>What went in and what came out of one invocation; the one feature that every invocation has.</summary>
sealed class InvocationOutcome(object? payload, CompiledFunction function)
{
    public object? Payload => payload;

    public CompiledFunction Function => function;

    public object? Value { get; set; }

    public Dictionary<string, object?> Outputs => field ??= [];
}

/// <summary>The context of one invocation; its service scope opens at the first use and closes at the end.</summary>
sealed class Invocation(
    FunctionDefinition definition, InvocationOutcome outcome, IServiceScopeFactory scopes, string id,
    TriggerCall call, TraceContext trace, RetryContext retry, CancellationToken cancellation)
    : FunctionContext, IAsyncDisposable
{
    static readonly BindingContext noBindingData = new Bindings(new Dictionary<string, object?>());

    AsyncServiceScope? scope;

    public override string InvocationId => id;

    public override string FunctionId => definition.Id;

    public override TraceContext TraceContext => trace;

    public override BindingContext BindingContext =>
        field ??= call.BindingData is { } values ? new Bindings(values) : noBindingData;

    public override RetryContext RetryContext => retry;

    public override IServiceProvider InstanceServices
    {
        get => field ??= (scope = scopes.CreateAsyncScope()).Value.ServiceProvider;
        set;
    }

    public override FunctionDefinition FunctionDefinition => definition;

    public override IDictionary<object, object> Items { get => field ??= new Dictionary<object, object>(); set; }

    public override IInvocationFeatures Features { get; } = new InvocationFeatures(outcome);

    public override CancellationToken CancellationToken => cancellation;

    public ValueTask DisposeAsync() => scope?.DisposeAsync() ?? default;

    /// <summary>Disposes without waiting, for code that must not await.</summary>
    public void Release(ILogger logger)
    {
        if (scope is { } services)
        {
            services.DisposeAsync().AsTask().ContinueWith(
                task => Log.ReleaseFailed(logger, task.Exception!), CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        }
    }

    sealed class Bindings(IReadOnlyDictionary<string, object?> values) : BindingContext
    {
        public override IReadOnlyDictionary<string, object?> BindingData => values;
    }

    sealed class InvocationFeatures(InvocationOutcome outcome) : IInvocationFeatures
    {
        readonly Dictionary<Type, object> features = new(1) { [typeof(InvocationOutcome)] = outcome };

        public T? Get<T>() => features.TryGetValue(typeof(T), out var feature) ? (T)feature : default;

        public void Set<T>(T instance) =>
            features[typeof(T)] = instance ?? throw new ArgumentNullException(nameof(instance));

        public IEnumerator<KeyValuePair<Type, object>> GetEnumerator() => features.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}

/// <summary>The attempt that is running, counted from zero.</summary>
sealed class Attempt(int number, int max) : RetryContext
{
    public static readonly Attempt Only = new(0, 0);

    public override int RetryCount => number;

    public override int MaxRetryCount => max;
}

/// <summary>The trace of an invocation, taken from its activity.</summary>
sealed class InvocationTrace(string parent, string state) : TraceContext
{
    static readonly Dictionary<string, string> none = [];

    public override string TraceParent => parent;

    public override string TraceState => state;

    public override IReadOnlyDictionary<string, string> Attributes => none;

    public override IReadOnlyDictionary<string, string> Baggage => none;
}
