using Commerce;
using Commerce.Customers;
using EventSourcing;
using Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Functions.Commands;

/// <summary>Takes in a customer, or what has changed of one, under an id the caller chose.</summary>
public sealed class Customers(CommandHandler<Customer, CustomerCommand, CustomerEvent> customers)
{
    sealed record CustomerBody(string? Name, string? Email, AddressBody? Address, MoneyBody? CreditLimit);

    [Function(nameof(PutCustomer))]
    public async Task<IResult> PutCustomer(
        [HttpTrigger(AuthorizationLevel.Function, "put", Route = "customers/{customerId}")] HttpRequest request,
        string customerId,
        CancellationToken cancellation)
    {
        var customer = Request.Valid(CustomerId.TryParse(customerId, out var id, out var refusal), id, refusal);
        var body = await Request.BodyAsync<CustomerBody>(request, cancellation);
        var command = new CustomerCommand.Put(
            Request.Required(body.Name, "name"),
            Request.Required(body.Email, "email"),
            body.Address?.ToAddress(),
            Request.Required(body.CreditLimit, "creditLimit").ToMoney("creditLimit"));
        var outcome = await customers.HandleAsync(
            Customer.Stream(customer), command, Request.Command(request), cancellation);
        return Answer.To(request, outcome, $"/api/customers/{customer}");
    }
}
