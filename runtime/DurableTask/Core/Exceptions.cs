namespace DurableTask.Core.Exceptions;

/// <summary>An instance of this id exists in a status that forbids another one.</summary>
public class OrchestrationAlreadyExistsException : InvalidOperationException
{
    public OrchestrationAlreadyExistsException()
    {
    }

    public OrchestrationAlreadyExistsException(string message) : base(message)
    {
    }

    public OrchestrationAlreadyExistsException(string message, Exception innerException) : base(message, innerException)
    {
    }
}

/// <summary>Code has done something else than its recorded history says.</summary>
public class NonDeterministicOrchestrationException : Exception
{
    public NonDeterministicOrchestrationException()
    {
    }

    public NonDeterministicOrchestrationException(string message) : base(message)
    {
    }

    public NonDeterministicOrchestrationException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
