using Commerce;
using Commerce.Customers;
using EventSourcing;
using Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Functions.EventStore;

/// <summary>The right to be forgotten: what is personal reads as erased, all else stays as it happened.</summary>
public sealed class Forgetting(
    CommandHandler<Customer, CustomerCommand, CustomerEvent> customers, PersonalSeal seal, StateCache cache)
{
    [Function(nameof(DeleteCustomer))]
    public async Task<IResult> DeleteCustomer(
        [HttpTrigger(AuthorizationLevel.Function, "delete", Route = "customers/{customerId}")] HttpRequest request,
        string customerId,
        CancellationToken cancellation)
    {
        var customer = Request.Valid(CustomerId.TryParse(customerId, out var id, out var refusal), id, refusal);
        var stream = Customer.Stream(customer);
        if ((await customers.LoadAsync(stream, StreamRange.All, cancellation)).Sequence == 0)
            return Problem.Of(CustomerRefusal.Unknown);

        // The key is all there is to forget. Asking again finds it forgotten, so a lost answer does no harm.
        await seal.ForgetAsync(stream, cancellation);
        cache.Remove(stream);
        return TypedResults.NoContent();
    }
}
