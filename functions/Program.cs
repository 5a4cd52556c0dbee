using Azure.Identity;
using Commerce.Payments;
using Commerce.Restocking;
using Commerce.Shipping;
using EventSourcing;
using EventSourcing.Cosmos;
using Functions.Choreography;
using Functions.EventStore;
using Functions.Http;
using Functions.Messaging;
using Functions.Operations;
using Functions.Projections;
using Functions.Queries;
using Functions.Sagas;
using Functions.UserActivity;
using Microsoft.Azure.Cosmos;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Functions;

/// <summary>The one place that knows which implementation stands behind each port; used by both builds.</summary>
public static class Program
{
    public static Task Main(string[] args)
    {
        var builder = FunctionsApplication.CreateBuilder(args);
        Configure(builder);
        return builder.Build().RunAsync();
    }

    public static void Configure(FunctionsApplicationBuilder builder)
    {
        builder.ConfigureFunctionsWebApplication();
        builder.UseMiddleware<ProblemMiddleware>();
        builder.UseMiddleware<ConditionalAnswers>();
        builder.UseMiddleware<PersonalAnswers>();

        var services = builder.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(_ => CosmosOf(builder.Configuration));
        services.AddSingleton(provider => provider.GetRequiredService<CosmosClient>().GetDatabase(Store.Database));
        services.AddMessaging(builder.Configuration);
        services.AddTelemetryExport(builder.Configuration);
        services.AddBlobStorage(builder.Configuration);
        services.AddSingleton<IEventStore>(
            provider => new CosmosEventStore(provider.GetRequiredService<Database>().GetContainer(Store.Events)));
        services.AddSingleton<IEventArchive>(
            provider => new CosmosEventArchive(provider.GetRequiredService<Database>().GetContainer(Store.Events)));
        services.AddSingleton(_ => new StateCache());
        services.TryAddSingleton<IMasterKey>(_ => MasterKeyOf(builder.Configuration));
        services.AddSingleton<IKeyVault>(provider => new CosmosKeyVault(
            provider.GetRequiredService<Database>().GetContainer(Store.Keys),
            provider.GetRequiredService<IMasterKey>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new PersonalSeal(
            provider.GetRequiredService<IKeyVault>(), provider.GetRequiredService<TimeProvider>()));
        services.AddCommands(Aggregates.Orders);
        services.AddCommands(Aggregates.Payments);
        services.AddCommands(Aggregates.Shipments);
        services.AddCommands(Aggregates.Customers);
        services.AddCommands(Aggregates.Products);
        services.AddCommands(Aggregates.Stocks);
        services.AddCommands(Aggregates.Restocks);
        services.AddCommands(Aggregates.Allocations);
        services.AddSingleton<OrderHistory>();
        AddViews(services);
        AddWorkflows(services, builder.Configuration);

        // They stand for companies outside: a team puts its own gateway, carrier and suppliers here.
        services.TryAddSingleton<IPaymentGateway, SimulatedPaymentGateway>();
        services.TryAddSingleton<ICarrier, SimulatedCarrier>();
        services.TryAddSingleton<ISuppliers, SimulatedSuppliers>();
    }

    static void AddViews(IServiceCollection services)
    {
        services.AddSingleton<Parking>();
        services.AddSingleton<ProjectionStates>();
        services.AddSingleton<ViewGenerations>();
        services.AddSingleton<Looks>();
        services.AddSingleton<ProjectionRunner>();
        services.AddSingleton<Reconciliation>();
        services.AddSingleton<Redrive>();
        services.AddSingleton<Discards>();
        services.AddSingleton<RebuildStates>();
        services.AddSingleton<Verification>();
        services.AddSingleton<Rebuilder>();
        services.AddSingleton<ViewContainer>();
        services.AddSingleton<Continuations>();
        services.AddSingleton<ActivityLog>();
        services.AddSingleton<ActivityTotals>();
        services.AddSingleton<Popularity>();
    }

    static void AddWorkflows(IServiceCollection services, IConfiguration settings)
    {
        services.AddSingleton<SagaStories>();
        services.AddSingleton<StartSagas>();
        services.AddSingleton<Reruns>();
        services.AddSingleton<DeadLetterQueues>();
        services.AddSingleton(_ => SagaSettings.Of(settings));
        services.AddSingleton<Outbox>();
        services.AddSingleton<OutboxWatch>();
        services.AddSingleton<PlacedOrders>();
        services.AddSingleton<OverdueOrders>();
        services.AddSingleton<OwedAnswersFound>();
        services.AddSingleton<OwedAnswersWatch>();
        services.TryAddSingleton(Patience.Normal);
        services.AddSingleton<Listening>();
    }

    /// <summary>The streams themselves, for a tool that works on them while the app does not run.</summary>
    public static (IEventStore Store, IEventArchive Archive) StreamsOf(CosmosClient client)
    {
        var events = client.GetContainer(Store.Database, Store.Events);
        return (new CosmosEventStore(events), new CosmosEventArchive(events));
    }

    static void AddCommands<TState, TCommand, TEvent>(
        this IServiceCollection services, Aggregate<TState, TCommand, TEvent> aggregate)
        where TState : class
        where TEvent : notnull =>
        services.AddSingleton(provider => new CommandHandler<TState, TCommand, TEvent>(
            aggregate,
            provider.GetRequiredService<IEventStore>(),
            provider.GetRequiredService<StateCache>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<PersonalSeal>()));

    static VaultMasterKey MasterKeyOf(ConfigurationManager settings) =>
        settings[Store.MasterKey] is { Length: > 0 } address
            ? new(new(address), new DefaultAzureCredential(), new())
            : throw new InvalidOperationException(
                $"Set {Store.MasterKey} to the key in Key Vault that wraps the others.");

    /// <summary>A connection string, or an endpoint with this app's identity: no key is needed on Azure.</summary>
    static CosmosClient CosmosOf(ConfigurationManager settings)
    {
        var options = new CosmosClientOptions { ConnectionMode = ConnectionMode.Gateway };
        if (settings[Store.Connection] is { Length: > 0 } connection) return new(connection, options);
        var endpoint = settings[$"{Store.Connection}:accountEndpoint"]
            ?? throw new InvalidOperationException($"Set {Store.Connection}, or {Store.Connection}__accountEndpoint.");
        options.ConnectionMode = ConnectionMode.Direct;
        return new(
            endpoint,
            new DefaultAzureCredential(new DefaultAzureCredentialOptions
            {
                ManagedIdentityClientId = settings[$"{Store.Connection}:clientId"],
            }),
            options);
    }
}
