using System.Reflection;

namespace Microsoft.DurableTask;

/// <summary>An activity or child that an orchestration awaited has failed for good.</summary>
public sealed class TaskFailedException : Exception
{
    public TaskFailedException(string taskName, int taskId, Exception innerException)
        : base(Describe(taskName, taskId, innerException.Message), innerException)
    {
        TaskName = taskName;
        TaskId = taskId;
        FailureDetails = TaskFailureDetails.FromException(innerException);
    }

    public TaskFailedException(string taskName, int taskId, TaskFailureDetails failureDetails)
        : base(Describe(taskName, taskId, failureDetails.ErrorMessage))
    {
        TaskName = taskName;
        TaskId = taskId;
        FailureDetails = failureDetails;
    }

    public string TaskName { get; }

    public int TaskId { get; }

    public TaskFailureDetails FailureDetails { get; }

    static string Describe(string name, int id, string message) =>
        $"Task '{name}' (#{id}) failed with an unhandled exception: {message}";
}

/// <summary>An error as data, so that it survives storage and crosses from one instance to another.</summary>
public record TaskFailureDetails(
    string ErrorType,
    string ErrorMessage,
    string? StackTrace,
    TaskFailureDetails? InnerFailure,
    IDictionary<string, object?>? Properties)
{
    public override string ToString() => $"{ErrorType}: {ErrorMessage}";

    /// <summary>Whether the error is of this type or derives from it; inner failures are not looked at.</summary>
    public bool IsCausedBy<T>() where T : Exception => IsCausedBy(typeof(T));

    /// <inheritdoc cref="IsCausedBy{T}"/>
    public bool IsCausedBy(Type targetBaseExceptionType)
    {
        ArgumentNullException.ThrowIfNull(targetBaseExceptionType);
        if (!typeof(Exception).IsAssignableFrom(targetBaseExceptionType))
        {
            throw new ArgumentException(
                $"{targetBaseExceptionType} is not an exception type.", nameof(targetBaseExceptionType));
        }

        return FindType(targetBaseExceptionType) is { } type && targetBaseExceptionType.IsAssignableFrom(type);
    }

    public static TaskFailureDetails FromException(Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        var inner = exception is TaskFailedException failed
            ? failed.FailureDetails
            : exception.InnerException is { } cause ? FromException(cause) : null;
        return new(exception.GetType().ToString(), exception.Message, exception.StackTrace, inner, null);
    }

    // Only the name was stored; the type may live in any loaded assembly.
    Type? FindType(Type target)
    {
        if (string.IsNullOrEmpty(ErrorType))
        {
            return null;
        }

        if (target.FullName == ErrorType)
        {
            return target;
        }

        if (Type.GetType(ErrorType, throwOnError: false) is { } known)
        {
            return known;
        }

        if (target.Assembly.GetType(ErrorType, throwOnError: false) is { } neighbour)
        {
            return neighbour;
        }

        var found = AppDomain.CurrentDomain.GetAssemblies()
            .Select(assembly => assembly.GetType(ErrorType, throwOnError: false))
            .OfType<Type>()
            .Take(2)
            .ToList();
        return found.Count < 2
            ? found.FirstOrDefault()
            : throw new AmbiguousMatchException($"More than one loaded assembly has a type named '{ErrorType}'.");
    }
}
