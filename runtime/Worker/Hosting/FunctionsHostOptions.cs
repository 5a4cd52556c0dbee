using System.Reflection;
using Microsoft.Azure.Cosmos;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Runtime.Worker;

/// <summary>What a host runs and on what: functions, settings, time, storage, clients.</summary>
public sealed record FunctionsHostOptions
{
    /// <summary>Where the functions are.</summary>
    public required IReadOnlyList<Assembly> Assemblies { get; init; }

    /// <summary>The application settings; nothing else is read, not even the environment.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>The path of host.json; null for Azure's defaults.</summary>
    public string? HostJson { get; init; }

    /// <summary>A loopback address; port 0 takes a free port.</summary>
    public Uri Listen { get; init; } = new("http://127.0.0.1:0");

    /// <summary>The time that timers, retries and orchestrations live in.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>What <c>functionTimeout</c> is measured by.</summary>
    /// <remarks>Real time even under a virtual clock: a jump of that is no time that a function has spent.</remarks>
    public TimeProvider TimeoutClock { get; init; } = TimeProvider.System;

    /// <summary>The SQLite file of the orchestrations, with the state of the timers beside it; null keeps both in
    /// memory.</summary>
    public string? DurableFile { get; init; }

    /// <summary>The application's own composition, as in its Program.cs.</summary>
    public required Action<FunctionsApplicationBuilder> Configure { get; init; }

    /// <summary>Runs last, so that it can replace what the application registered.</summary>
    public Action<IServiceCollection>? Replace { get; init; }

    /// <summary>From the name of a connection setting to the client of change-feed triggers; null reads the setting.
    /// The host does not dispose these clients.</summary>
    public Func<string, CosmosClient>? CosmosClients { get; init; }

    /// <summary>How this host names itself in lease containers; null makes a new name each time, as on Azure.</summary>
    /// <remarks>With a lasting name a host that was killed takes up its leases at once instead of waiting for them to
    /// expire. Never let two hosts of one name run at the same time.</remarks>
    public string? LeaseOwner { get; init; }

    /// <summary>No change-feed trigger waits longer than this between two looks at an idle feed; null leaves it to the
    /// trigger.</summary>
    /// <remarks>A trigger's own delay weighs latency against request units, which cost nothing locally.</remarks>
    public TimeSpan? FeedPollDelayMax { get; init; }

    /// <summary>A feed that was let go of after an error is taken up again within this; null leaves it to the trigger,
    /// which takes 13 seconds unless it says otherwise.</summary>
    public TimeSpan? FeedLeaseAcquireMax { get; init; }

    /// <summary>Where the log goes; nowhere when null.</summary>
    public Action<ILoggingBuilder>? Logging { get; init; }

    /// <summary>Kinds of triggers beside HTTP, timers, the change feed and Durable.</summary>
    public IReadOnlyList<ITriggerKind> Triggers { get; init; } = [];

    /// <summary>Kinds of output bindings beside [HttpResult].</summary>
    public IReadOnlyList<IOutputKind> Outputs { get; init; } = [];

    /// <summary>Narrows the functions to those of some classes.</summary>
    internal Func<Type, bool> Classes { get; init; } = static _ => true;
}
