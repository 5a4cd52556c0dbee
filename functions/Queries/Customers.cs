using Commerce;
using Commerce.Customers;
using Functions.Http;
using Functions.Projections;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Queries;

/// <summary>Questions about customers, answered from views alone.</summary>
public sealed class CustomerQueries(ViewContainer views)
{
    [Function(nameof(GetCustomer))]
    public Task<IResult> GetCustomer(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "customers/{customerId}")] HttpRequest request,
        string customerId,
        CancellationToken cancellation)
    {
        var customer = Request.Valid(CustomerId.TryParse(customerId, out var id, out var refusal), id, refusal);
        return ViewAnswer.OneAsync(
            views, request, Views.Customers, ViewKey.Of(customer.ToString()), CustomerRefusal.Unknown, cancellation);
    }
}
