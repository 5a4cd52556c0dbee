namespace Microsoft.DurableTask;

/// <summary>What an activity may know about the call.</summary>
public abstract class TaskActivityContext
{
    public abstract TaskName Name { get; }

    public abstract string InstanceId { get; }

    public virtual string Version => "";
}

/// <summary>A unit of work that may do anything, at least once.</summary>
public interface ITaskActivity
{
    Type InputType { get; }

    Type OutputType { get; }

    Task<object?> RunAsync(TaskActivityContext context, object? input);
}

/// <inheritdoc cref="ITaskActivity"/>
public abstract class TaskActivity<TInput, TOutput> : ITaskActivity
{
    Type ITaskActivity.InputType => typeof(TInput);

    Type ITaskActivity.OutputType => typeof(TOutput);

    async Task<object?> ITaskActivity.RunAsync(TaskActivityContext context, object? input) =>
        await RunAsync(context, TypedInput.Of<TInput>(input));

    public abstract Task<TOutput> RunAsync(TaskActivityContext context, TInput input);
}

/// <summary>An activity from a function.</summary>
public static class FuncTaskActivity
{
    public static TaskActivity<TInput, TOutput> Create<TInput, TOutput>(
        Func<TaskActivityContext, TInput, Task<TOutput>> implementation)
    {
        ArgumentNullException.ThrowIfNull(implementation);
        return new Function<TInput, TOutput>(implementation);
    }

    sealed class Function<TInput, TOutput>(Func<TaskActivityContext, TInput, Task<TOutput>> run)
        : TaskActivity<TInput, TOutput>
    {
        public override Task<TOutput> RunAsync(TaskActivityContext context, TInput input) => run(context, input);
    }
}

static class TypedInput
{
    internal static T Of<T>(object? input) => input switch
    {
        T typed => typed,
        null => default!,
        _ => throw new ArgumentException($"The input is a {input.GetType()}, expected was a {typeof(T)}."),
    };
}
