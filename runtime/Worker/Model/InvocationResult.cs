using Runtime.Worker;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>What the function returned, for middleware to read or replace before it is used.</summary>
public abstract class InvocationResult<T>
{
    public abstract T? Value { get; set; }
}

/// <inheritdoc cref="InvocationResult{T}"/>
public abstract class InvocationResult : InvocationResult<object>;

/// <summary>One value that leaves the function through an output binding.</summary>
public abstract class OutputBindingData<T>
{
    public abstract T? Value { get; set; }

    public abstract string Name { get; }

    public abstract string BindingType { get; }
}

/// <summary>Reads what an invocation gave back, once the next delegate has returned.</summary>
public static class FunctionContextBindingFeatureExtensions
{
    public static InvocationResult GetInvocationResult(this FunctionContext context) =>
        new Returned(Outcome(context));

    public static InvocationResult<T> GetInvocationResult<T>(this FunctionContext context)
    {
        var outcome = Outcome(context);
        return outcome.Value is null or T
            ? new Returned<T>(outcome)
            : throw new InvalidOperationException(
                $"The function returned {outcome.Value.GetType()}, which is not {typeof(T)}.");
    }

    public static IEnumerable<OutputBindingData<T>> GetOutputBindings<T>(this FunctionContext context)
    {
        var outcome = Outcome(context);
        foreach (var (name, binding) in context.FunctionDefinition.OutputBindings)
        {
            yield return new Output<T>(outcome, name, binding.Type);
        }
    }

    static InvocationOutcome Outcome(FunctionContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Features.Get<InvocationOutcome>()
            ?? throw new InvalidOperationException("This context does not belong to a running invocation.");
    }

    sealed class Returned(InvocationOutcome outcome) : InvocationResult
    {
        public override object? Value { get => outcome.Value; set => outcome.Value = value; }
    }

    sealed class Returned<T>(InvocationOutcome outcome) : InvocationResult<T>
    {
        public override T? Value { get => (T?)outcome.Value; set => outcome.Value = value; }
    }

    sealed class Output<T>(InvocationOutcome outcome, string name, string type) : OutputBindingData<T>
    {
        public override string Name => name;

        public override string BindingType => type;

        public override T? Value
        {
            get => outcome.Outputs.TryGetValue(name, out var value) && value is T typed ? typed : default;
            set => outcome.Outputs[name] = value;
        }
    }
}
