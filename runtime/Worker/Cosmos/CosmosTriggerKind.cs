using System.Globalization;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Runtime.Worker;

/// <summary>Change-feed functions, fed by the Cosmos SDK's own change feed processor.</summary>
sealed class CosmosTriggerKind(FunctionsHostOptions options) : ITriggerKind
{
    const string DefaultConnection = "CosmosDB";
    const string DefaultLeases = "leases";

    readonly Dictionary<string, string> owners = [];
    CosmosClients? clients;

    public Type Attribute => typeof(CosmosDBTriggerAttribute);

    public bool HonoursRetry => true;

    public string? HostJsonSection => null;

    public ITriggerSource Attach(TriggeredFunction function, TriggerServices host)
    {
        var trigger = (CosmosDBTriggerAttribute)function.Trigger;
        if (trigger.ChangeFeedMode is not CosmosDBChangeFeedMode.LatestVersion)
        {
            throw function.Refusal($"change feed mode {trigger.ChangeFeedMode} is not offered here.");
        }

        var serializer = host.Services.GetRequiredService<IOptions<WorkerOptions>>().Value.Serializer!;
        var type = function.Parameter.ParameterType;
        function.Bind(function.Parameter, BatchBinder.For(type, serializer) ?? throw function.Refusal(
            $"a batch of changes cannot become {type}; take IReadOnlyList<T>, T[], List<T>, a JSON type or string, " +
            "where T is what System.Text.Json makes of one item.", function.Parameter));

        try
        {
            clients ??= new(options.CosmosClients, host.Settings);
            var feed = Feed(trigger, host.Settings);
            var logger = host.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Host.Triggers.CosmosDB");
            RefuseSharedLeases(function, feed);

            // Makes the clients, which reads their settings, but asks the service nothing yet.
            clients.For(feed.Monitored.Connection, feed.Regions);
            clients.For(feed.Leases.Connection, feed.Regions);
            return new CosmosSource(function, feed, clients, logger);
        }
        catch (FunctionsRefusedException e) when (!e.Message.StartsWith("Function ", StringComparison.Ordinal))
        {
            throw function.Refusal(e.Message);
        }
    }

    CosmosFeed Feed(CosmosDBTriggerAttribute trigger, AppSettings settings)
    {
        var connection = trigger.Connection ?? DefaultConnection;
        var database = settings.Expand(trigger.DatabaseName);
        var regions = trigger.PreferredLocations is { } locations ? settings.Expand(locations) : null;
        var feed = new CosmosFeed
        {
            Monitored = new(connection, database, settings.Expand(trigger.ContainerName)),
            Leases = new(
                trigger.LeaseConnection ?? connection,
                trigger.LeaseDatabaseName is { } leases ? settings.Expand(leases) : database,
                settings.Expand(trigger.LeaseContainerName ?? DefaultLeases)),
            Regions = regions,
            Prefix = settings.Expand(trigger.LeaseContainerPrefix ?? ""),
            Owner = options.LeaseOwner ?? Guid.NewGuid().ToString(),
            CreateLeases = trigger.CreateLeaseContainerIfNotExists,
            LeasesThroughput = Positive(trigger.LeasesContainerThroughput, nameof(trigger.LeasesContainerThroughput)),
            ItemsMax = Positive(trigger.MaxItemsPerInvocation, nameof(trigger.MaxItemsPerInvocation)),
            PollDelay = Sooner(Time(trigger.FeedPollDelay, nameof(trigger.FeedPollDelay)), options.FeedPollDelayMax),
            LeaseAcquire = Sooner(
                Time(trigger.LeaseAcquireInterval, nameof(trigger.LeaseAcquireInterval)), options.FeedLeaseAcquireMax),
            LeaseExpiration = Time(trigger.LeaseExpirationInterval, nameof(trigger.LeaseExpirationInterval)),
            LeaseRenew = Time(trigger.LeaseRenewInterval, nameof(trigger.LeaseRenewInterval)),
            StartTime = StartTime(trigger, settings),
        };
        return feed.Leases != feed.Monitored
            ? feed
            : throw new FunctionsRefusedException("a container cannot hold its own leases.");
    }

    static TimeSpan? Sooner(TimeSpan? asked, TimeSpan? max) => asked is null || max < asked ? max ?? asked : asked;

    static DateTime? StartTime(CosmosDBTriggerAttribute trigger, AppSettings settings)
    {
        if (trigger.StartFromTime is not { } text)
        {
            // The SDK's sign for the very beginning.
            return trigger.StartFromBeginning ? DateTime.MinValue.ToUniversalTime() : null;
        }

        if (trigger.StartFromBeginning)
        {
            throw new FunctionsRefusedException("only one of StartFromBeginning and StartFromTime can be used.");
        }

        return DateTime.TryParse(
            settings.Expand(text), CultureInfo.InvariantCulture,
            DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : throw new FunctionsRefusedException(
                $"StartFromTime '{text}' is no ISO 8601 time such as 2026-02-16T14:19:29Z.");
    }

    // Two functions on one set of leases would each see some of the changes and miss the others.
    void RefuseSharedLeases(TriggeredFunction function, CosmosFeed feed)
    {
        var leases = $"{feed.Monitored}|{feed.Leases}|{feed.Prefix}";
        if (!owners.TryAdd(leases, function.Name))
        {
            throw function.Refusal(
                $"it shares its leases with function '{owners[leases]}', so that each change would reach only one of " +
                "them; give it a LeaseContainerPrefix of its own.");
        }
    }

    static int? Positive(int value, string name) => value >= 0
        ? value == 0 ? null : value
        : throw new FunctionsRefusedException($"{name} is {value}; it cannot be negative.");

    static TimeSpan? Time(int milliseconds, string name) =>
        Positive(milliseconds, name) is { } value ? TimeSpan.FromMilliseconds(value) : null;
}
