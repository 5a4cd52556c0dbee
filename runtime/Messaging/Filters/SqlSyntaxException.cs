namespace Runtime.Messaging;

/// <summary>A filter or action that does not follow the Service Bus SQL grammar, and where.</summary>
public sealed class SqlSyntaxException(string problem, int position, string expression)
    : FormatException($"{problem} (character {position + 1} of \"{expression}\").")
{
    public int Position { get; } = position;
}

/// <summary>
/// A filter or action that could not be worked out for one message, such as a text compared with a number.
/// </summary>
sealed class SqlEvaluationException(string message) : Exception(message);
