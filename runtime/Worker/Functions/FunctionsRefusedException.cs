namespace Runtime.Worker;

/// <summary>The host will not start; the message says, line by line, what must change and where.</summary>
public sealed class FunctionsRefusedException : Exception
{
    public FunctionsRefusedException(string message) : base(message) => Reasons = [message];

    internal FunctionsRefusedException(IReadOnlyList<string> reasons)
        : base($"The functions host will not start.{string.Concat(reasons.Select(r => $"\n- {r}"))}") =>
        Reasons = reasons;

    public IReadOnlyList<string> Reasons { get; }
}
