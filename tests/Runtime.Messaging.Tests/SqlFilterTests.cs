using Azure.Core.Amqp;
using Azure.Messaging.ServiceBus;
using Runtime.Messaging.Filters;

namespace Runtime.Messaging.Tests;

public sealed class SqlFilterTests
{
    static readonly AmqpAnnotatedMessage Message = new ServiceBusMessage("body")
    {
        Subject = "order-placed", CorrelationId = "c", To = "shop",
        ApplicationProperties =
        {
            ["Quantity"] = 12, ["Price"] = 2.5, ["Tax"] = 1.20m, ["Store"] = "O'Hara [1] 100%", ["Urgent"] = true,
                ["Empty"] = null!,
            ["HR-EmployeeID"] = 7L, ["Key"] = Guid.Empty, ["At"] = DateTimeOffset.UnixEpoch, ["class"] = "x",
        },
    }.GetRawAmqpMessage();

    [Theory]
    [InlineData("1=1")]
    [InlineData("NOT 1 = 0")]
    [InlineData("sys.Label = 'order-placed'")]
    [InlineData("SYS.label LIKE 'order-%' and sys.To in ('mall', 'shop')")]
    [InlineData("quantity > 10 AND user.QUANTITY <= 12")]
    [InlineData("Quantity + 1 = 13 AND Quantity - 2 * 3 = 6 AND (Quantity - 2) * 3 = 30")]
    [InlineData("Quantity / 5 = 2 AND Quantity % 5 = 2 AND -Quantity < +0")]
    [InlineData("Price * 2 = 5 AND Price = 2.5 AND Price > 2 AND Price = 25E-1 AND Price < .3e+1")]
    [InlineData("Tax > 1 AND Tax * 10 = 12")]
    [InlineData("Store = 'O''Hara [1] 100%'")]
    [InlineData("Store LIKE 'O''H_ra%' AND Store LIKE '%100\\%' ESCAPE '\\' AND Store NOT LIKE 'x%'")]
    [InlineData("Urgent = TRUE AND Urgent <> FALSE AND Urgent != false")]
    [InlineData("[HR-EmployeeID] = 7 AND \"HR-EmployeeID\" = 7 AND property('HR-EmployeeID') = 7 AND p('H' + 'R-EmployeeID') = 7")]
    [InlineData("EXISTS(Quantity) AND EXISTS (sys.Label) AND NOT EXISTS(Nothing) AND NOT EXISTS(sys.ReplyTo) AND EXISTS(Empty)")]
    [InlineData("Nothing IS NULL AND Empty IS NULL AND Quantity IS NOT NULL AND sys.ReplyTo IS NULL")]
    [InlineData("Quantity NOT IN (1, 2) AND Quantity IN (1, 2, 6 * 2)")]
    [InlineData("newid() <> Key")]
    [InlineData("sys.Label + '!' = 'order-placed!'")]
    [InlineData("Nothing = 1 OR Quantity = 12")]
    [InlineData("NOT (Nothing = 1 AND Quantity = 0)")]
    [InlineData("1 = 0 OR 1 = 1 AND 2 = 2")]
    [InlineData("((Quantity)) = 12 AND ((Quantity = 12))")]
    public void Selects(string filter) => Assert.True(Truth(filter));

    [Theory]
    [InlineData("1 = 0")]
    [InlineData("NOT 1 = 1")]
    [InlineData("sys.Label = 'Order-Placed'")]
    [InlineData("sys.Label LIKE 'order'")]
    [InlineData("sys.Label LIKE 'order%_-placed'")]
    [InlineData("Quantity <> 12 OR Quantity < 12 OR Quantity >= 13")]
    [InlineData("Store LIKE '%100\\%_' ESCAPE '\\'")]
    public void Selects_not(string filter) => Assert.False(Truth(filter));

    [Theory]
    [InlineData("Nothing = 1")]
    [InlineData("Nothing <> 1")]
    [InlineData("NOT Nothing = 1")]
    [InlineData("Nothing + 1 > 0")]
    [InlineData("-Nothing = 0")]
    [InlineData("Nothing LIKE '%'")]
    [InlineData("Nothing NOT LIKE '%'")]
    [InlineData("Nothing IN (1)")]
    [InlineData("Nothing NOT IN (1)")]
    [InlineData("Empty = NULL")]
    [InlineData("Nothing = 1 AND Quantity = 12")]
    [InlineData("Nothing = 1 OR Quantity = 0")]
    public void Unknown_stays_unknown(string filter) => Assert.Null(Truth(filter));

    [Theory]
    [InlineData("Quantity = '12'", "A Int64 does not compare with a String.")]
    [InlineData("Price = Tax", "A Double does not compare with a Decimal.")]
    [InlineData("Urgent > FALSE", "> does not order values of type Boolean.")]
    [InlineData("Quantity / 0 = 1", "12 / 0: Attempted to divide by zero.")]
    [InlineData("Quantity * 9223372036854775807 = 1",
        "12 * 9223372036854775807: Arithmetic operation resulted in an overflow.")]
    [InlineData("Quantity LIKE '1%'", "LIKE compares texts only.")]
    [InlineData("Store LIKE 'x' ESCAPE 'xy'", "ESCAPE takes a text of one character.")]
    [InlineData("p(Quantity) = 1", "property() takes a text, not a Int64.")]
    [InlineData("Urgent + 1 = 2", "+ does not take a Boolean and a Int64.")]
    [InlineData("-Store = 1", "A String cannot be negated.")]
    public void What_cannot_be_worked_out_is_an_error(string filter, string message) =>
        Assert.Equal(message, Assert.Throws<SqlEvaluationException>(() => Truth(filter)).Message);

    [Theory]
    [InlineData("", 0, "Expected a value or a property but found the end")]
    [InlineData("Quantity", 8, "A filter needs a condition")]
    [InlineData("TRUE", 4, "A filter needs a condition")]
    [InlineData("Quantity = ", 11, "Expected a value or a property but found the end")]
    [InlineData("Quantity = 1 AND", 16, "Expected a value or a property but found the end")]
    [InlineData("Quantity = 1 2", 13, "Expected the end but found '2'")]
    [InlineData("(Quantity = 1", 13, "Expected ')' but found the end")]
    [InlineData("Quantity = (1 = 1)", 18, "= needs a value")]
    [InlineData("NOT Quantity", 12, "NOT needs a condition")]
    [InlineData("1 = 1 OR Quantity", 17, "OR needs a condition")]
    [InlineData("sys.Nothing = 1", 4, "There is no system property 'Nothing'")]
    [InlineData("sys.SequenceNumber = 1", 4, "There is no system property 'SequenceNumber'")]
    [InlineData("app.Quantity = 1", 0, "A scope is sys or user, not 'app'")]
    [InlineData("upper(Store) = 'X'", 0, "There is no function 'upper'")]
    [InlineData("Store = 'open", 8, "' is never closed")]
    [InlineData("[open = 1", 0, "[ is never closed")]
    [InlineData("Quantity = @q", 11, "Parameters are not supported")]
    [InlineData("Quantity = 1 ; DROP", 13, "Expected the end but found ';'")]
    [InlineData("Quantity # 1", 9, "Unexpected character '#'")]
    [InlineData("Quantity IN ()", 13, "Expected a value or a property but found ')'")]
    [InlineData("Quantity IS 1", 12, "Expected 'NULL' but found '1'")]
    [InlineData("1 IS NULL", 9, "IS [NOT] NULL asks for a property")]
    [InlineData("Quantity = 99999999999999999999", 11, "is too large for an integer")]
    [InlineData("Quantity = 1e", 11, "needs an exponent")]
    [InlineData("EXISTS(1)", 7, "Expected a value or a property but found '1'")]
    [InlineData("NOT NULL = 1 LIKE", 13, "Expected the end but found 'LIKE'")]
    public void What_is_not_the_grammar_is_refused_with_its_place(string filter, int position, string problem)
    {
        var error = Assert.Throws<SqlSyntaxException>(() => SqlParser.ParseFilter(filter));
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
        Assert.Equal(position, error.Position);
    }

    [Fact]
    public void A_hostile_filter_is_refused_before_it_costs_anything()
    {
        Assert.Throws<SqlSyntaxException>(() => SqlParser.ParseFilter(new string('(', 1000) + "1"));
        Assert.Throws<SqlSyntaxException>(
            () => SqlParser.ParseFilter(string.Concat(Enumerable.Repeat("NOT ", 200)) + "1=1"));
        Assert.Throws<SqlSyntaxException>(() => SqlParser.ParseFilter("1 = " + new string('-', 500) + "1"));
        Assert.Throws<SqlSyntaxException>(() => SqlParser.ParseFilter("1 = 1 OR " + new string('x', 1024) + " = 1"));
        Assert.False(
            LikePattern.Matches(new string('a', 5_000), string.Concat(Enumerable.Repeat("%a", 250)) + "b", null));
    }

    [Theory]
    [InlineData("SET Quantity = Quantity * 2; SET sys.Label = sys.Label + '!', REMOVE Store SET Fresh = NULL")]
    public void An_action_sets_and_removes(string action)
    {
        var message = new ServiceBusMessage("x")
        {
            Subject = "a", ApplicationProperties = { ["quantity"] = 6, ["Store"] = "s" },
        }.GetRawAmqpMessage();
        SqlEvaluation.Apply(SqlParser.ParseAction(action), message);
        Assert.Equal("a!", message.Properties.Subject);
        Assert.Equal(12L, message.ApplicationProperties["quantity"]);
        Assert.False(message.ApplicationProperties.ContainsKey("Store"));
        Assert.True(message.ApplicationProperties.ContainsKey("Fresh"));
    }

    [Theory]
    [InlineData("SET sys.PartitionKey = 'x'", "sys.PartitionKey cannot be changed by an action")]
    [InlineData("UPDATE Quantity = 1", "Expected 'SET' but found 'UPDATE'")]
    [InlineData("SET Quantity", "Expected '=' but found the end")]
    [InlineData("SET Quantity = 1 = 1", "Expected 'SET' but found '='")]
    public void An_action_that_is_none_is_refused(string action, string problem) => Assert.Contains(
        problem, Assert.Throws<SqlSyntaxException>(() => SqlParser.ParseAction(action)).Message,
            StringComparison.Ordinal);

    static bool? Truth(string filter) => SqlEvaluation.Truth(SqlParser.ParseFilter(filter), Message);
}
