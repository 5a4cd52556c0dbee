using Azure.Core.Amqp;

namespace Runtime.Messaging.Filters;

/// <summary>A subscription's rule, ready to be asked about messages.</summary>
sealed class Rule
{
    readonly SqlNode? sql;
    readonly CorrelationDeclaration? correlation;

    public Rule(RuleDeclaration declaration)
    {
        Name = declaration.Name;
        correlation = declaration.Correlation;
        sql = declaration.SqlFilter is { } filter ? SqlParser.ParseFilter(filter) : null;
        Action = declaration.SqlAction is { } action ? SqlParser.ParseAction(action) : null;
    }

    public string Name { get; }

    public IReadOnlyList<SqlAssignment>? Action { get; }

    /// <summary>Unknown is no match.</summary>
    /// <exception cref="SqlEvaluationException">The filter does not fit the message.</exception>
    public bool Selects(AmqpAnnotatedMessage message) =>
        (sql is null || SqlEvaluation.Truth(sql, message) is true) &&
        (correlation is null || Correlates(correlation, message));

    static bool Correlates(CorrelationDeclaration wanted, AmqpAnnotatedMessage message) =>
        Matches(wanted.Label, message.Properties.Subject) &&
        Matches(wanted.CorrelationId, message.Properties.CorrelationId?.ToString()) &&
        Matches(wanted.MessageId, message.Properties.MessageId?.ToString()) &&
        Matches(wanted.SessionId, message.Properties.GroupId) &&
        Matches(wanted.To, message.Properties.To?.ToString()) &&
        Matches(wanted.ReplyTo, message.Properties.ReplyTo?.ToString()) &&
        Matches(wanted.ReplyToSessionId, message.Properties.ReplyToGroupId) &&
        Matches(wanted.ContentType, message.Properties.ContentType) &&
        wanted.Properties.All(property =>
            message.ApplicationProperties.TryGetValue(property.Key, out var value) &&
            Equals(SqlValues.Widen(property.Value), SqlValues.Widen(value)));

    static bool Matches(string? wanted, string? actual) =>
        wanted is null || string.Equals(wanted, actual, StringComparison.Ordinal);
}
