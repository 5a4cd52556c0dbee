using System.Text.Json;
using Functions.Http;
using Functions.Projections;
using Functions.Sagas;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Cosmos;

namespace Functions.Operations;

/// <summary>
/// Which sagas are meant: by state, kind, version, the step they stand at, and how long ago they began. The state
/// <c>stuck</c> means those that should have told more by now, <c>broken</c> only those that nobody has ended since.
/// </summary>
sealed record SagaFilter(string? State, string? Type, string? Version, string? Step, TimeSpan OlderThan)
{
    public const string Stuck = "stuck";
    public const string Broken = "broken";
    public const string Parked = "parked";

    static readonly string[] States =
        [Stuck, .. Enum.GetNames<SagaStatus>().Select(JsonNamingPolicy.CamelCase.ConvertName)];

    /// <exception cref="InvalidRequestException">There is no such state, or the age is no number.</exception>
    public static SagaFilter Of(HttpRequest request)
    {
        var state = Request.Query(request, "state");
        if (state is not null && !States.Contains(state))
            throw new InvalidRequestException("invalid-state", $"state is one of {string.Join(", ", States)}.");
        return new(
            state, Request.Query(request, "type"), Request.Query(request, "version"), Request.Query(request, "step"),
            Request.OlderThan(request));
    }

    /// <summary>The newest first, behind the one a page ended with.</summary>
    public QueryDefinition Query(DateTimeOffset now, SagaCursor? after)
    {
        var where = new List<string> { "c.view.startedAt <= @before" };
        if (State == Stuck) where.Add("c.view.due < @now");
        else if (State is not null) where.Add("c.view.status = @state");

        // Somebody has ended these: nobody needs to look after them any more.
        if (State == Broken) where.Add("(NOT IS_DEFINED(c.view.endedAt) OR IS_NULL(c.view.endedAt))");
        if (Type is not null) where.Add("c.view.type = @type");
        if (Version is not null) where.Add("c.view.version = @version");
        if (Step is not null) where.Add("ARRAY_CONTAINS(c.view.standsAt, @step)");
        if (after is not null) where.Add("(c.view.startedAt < @at OR (c.view.startedAt = @at AND c.id < @id))");
        return new QueryDefinition(
            $"SELECT * FROM c WHERE {string.Join(" AND ", where)} ORDER BY c.view.startedAt DESC, c.id DESC")
            .WithParameter("@before", now - OlderThan)
            .WithParameter("@now", now)
            .WithParameter("@state", State)
            .WithParameter("@type", Type)
            .WithParameter("@version", Version)
            .WithParameter("@step", Step)
            .WithParameter("@at", after?.At)
            .WithParameter("@id", after?.Id);
    }
}

/// <summary>Behind which saga the next page starts.</summary>
sealed record SagaCursor(DateTimeOffset At, string Id)
{
    /// <summary>Null when the page was not full: there is nothing behind it.</summary>
    public static SagaCursor? After(IReadOnlyList<ViewDocument<SagaStory>> page, int limit) =>
        page.Count == limit ? new(page[^1].View!.StartedAt, page[^1].Id) : null;
}
