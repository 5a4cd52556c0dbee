using System.Globalization;
using Commerce;
using Commerce.Ordering;
using Functions.Http;
using Functions.Projections;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Queries;

/// <summary>Sales, computed ahead: a question reads totals, never orders.</summary>
public sealed class StatisticsQueries(ViewContainer views)
{
    const int DaysMax = 31;

    [Function(nameof(GetCustomerStatistics))]
    public Task<IResult> GetCustomerStatistics(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "customers/{customerId}/statistics")]
        HttpRequest request,
        string customerId,
        CancellationToken cancellation)
    {
        var customer = Request.Valid(CustomerId.TryParse(customerId, out var id, out var refusal), id, refusal);
        return OneAsync(request, SalesGroup.Of(customer), cancellation);
    }

    [Function(nameof(GetProductStatistics))]
    public Task<IResult> GetProductStatistics(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "products/{productId}/statistics")]
        HttpRequest request,
        string productId,
        CancellationToken cancellation)
    {
        var product = Request.Valid(ProductId.TryParse(productId, out var id, out var refusal), id, refusal);
        return OneAsync(request, SalesGroup.Of(product), cancellation);
    }

    /// <summary>Every day from one to another, both included, also those on which nothing was ordered.</summary>
    [Function(nameof(GetDailyStatistics))]
    public async Task<IResult> GetDailyStatistics(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "statistics/days")] HttpRequest request,
        CancellationToken cancellation)
    {
        var from = Day(request, "from");
        var to = Day(request, "to");
        if (to < from || to.DayNumber - from.DayNumber >= DaysMax)
            throw new InvalidRequestException("invalid-days", $"Ask for 1 to {DaysMax} days, the first one first.");
        if (ConsistencyToken.Of(request) is not null)
            throw new InvalidRequestException(
                "token-not-taken", "Days are counted for everybody: ask a customer's or a product's statistics.");
        var days = await Task.WhenAll(Enumerable.Range(0, to.DayNumber - from.DayNumber + 1)
            .Select(async day => new DaySales(
                from.AddDays(day), await TotalAsync(request, SalesGroup.Of(from.AddDays(day)), cancellation))));
        return ViewAnswer.Json(new { days });
    }

    async Task<IResult> OneAsync(HttpRequest request, SalesGroup group, CancellationToken cancellation) =>
        ViewAnswer.Json(await TotalAsync(request, group, cancellation));

    /// <summary>Has the write in it that the caller sent the token of, once this group's marker has seen it.</summary>
    async Task<Sales> TotalAsync(HttpRequest request, SalesGroup group, CancellationToken cancellation)
    {
        if (ConsistencyToken.Of(request) is { } token)
        {
            var marker = await views.ReadAsync<SalesShare>(
                Views.OrderStatistics, Tally<SalesShare, Sales>.Marker(group.Value, token.Stream), token,
                ConsistencyToken.WaitOf(request), cancellation);
            if (!ViewContainer.HasSeen(marker, token)) ViewAnswer.TellStale(request);
        }

        var total = await views.ReadAsync<Sales>(
            Views.OrderStatistics, Tally<SalesShare, Sales>.Total(group.Value), null, TimeSpan.Zero, cancellation);
        return total?.View ?? Sales.None;
    }

    static DateOnly Day(HttpRequest request, string name) => DateOnly.TryParseExact(
        Request.Query(request, name), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
        ? day
        : throw new InvalidRequestException("invalid-days", $"{name} is a day such as 2030-01-31.");

    sealed record DaySales(DateOnly Day, Sales Sales);
}
