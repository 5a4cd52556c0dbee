using System.Globalization;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>Makes a method a function that the host finds by this name.</summary>
[AttributeUsage(AttributeTargets.Method)]
public class FunctionAttribute(string name) : Attribute
{
    public string Name { get; } = name ?? throw new ArgumentNullException(nameof(name));
}

/// <summary>Says how often a failed invocation is repeated before the host goes on without it.</summary>
/// <remarks>A count of -1 repeats for ever.</remarks>
[AttributeUsage(AttributeTargets.Method)]
public abstract class RetryAttribute : Attribute
{
    public RetryAttribute() { }

    public int MaxRetryCount { get; set; }

    private protected static TimeSpan Interval(string text, string parameter) =>
        TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var interval) && interval >= TimeSpan.Zero
            ? interval
            : throw new ArgumentOutOfRangeException(parameter, text, "A time span such as 00:00:05 is needed.");
}

/// <summary>Repeats a failed invocation after the same pause each time.</summary>
public sealed class FixedDelayRetryAttribute : RetryAttribute
{
    public FixedDelayRetryAttribute(int maxRetryCount, string delayInterval)
    {
        Delay = Interval(delayInterval, nameof(delayInterval));
        (MaxRetryCount, DelayInterval) = (maxRetryCount, delayInterval);
    }

    public string DelayInterval { get; }

    internal TimeSpan Delay { get; }
}

/// <summary>Repeats a failed invocation after pauses that grow from the minimum to the maximum.</summary>
public sealed class ExponentialBackoffRetryAttribute : RetryAttribute
{
    public ExponentialBackoffRetryAttribute(int maxRetryCount, string minimumInterval, string maximumInterval)
    {
        Minimum = Interval(minimumInterval, nameof(minimumInterval));
        Maximum = Interval(maximumInterval, nameof(maximumInterval));
        if (Minimum > Maximum)
        {
            throw new ArgumentException("The minimum must not exceed the maximum.", nameof(minimumInterval));
        }

        (MaxRetryCount, MinimumInterval, MaximumInterval) = (maxRetryCount, minimumInterval, maximumInterval);
    }

    public string MinimumInterval { get; }

    public string MaximumInterval { get; }

    internal TimeSpan Minimum { get; }

    internal TimeSpan Maximum { get; }
}

/// <summary>A failure of the worker itself rather than of a function's own code.</summary>
public class FunctionWorkerException : Exception
{
    public FunctionWorkerException(string message) : base(message) { }

    public FunctionWorkerException(string message, Exception innerException) : base(message, innerException) { }
}

/// <summary>What arrived cannot become the parameter asked for; middleware may answer 400 for it.</summary>
public class FunctionInputConverterException : FunctionWorkerException
{
    public FunctionInputConverterException(string message) : base(message) { }

    public FunctionInputConverterException(string message, Exception innerException) : base(message, innerException) { }
}
