using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using EventSourcing;
using Functions.Messaging;
using Functions.Projections;
using Functions.Sagas;
using Microsoft.Azure.Functions.Worker;

namespace Runtime.Local;

/// <summary>
/// Lets activities and deliveries go wrong by a seed. What happens to the n-th call of an activity in a saga follows
/// from the seed, the saga, the activity and n alone, never from what else runs at the time.
/// </summary>
sealed class SeededFaults(int seed, TimeProvider clock)
{
    /// <summary>After so many calls in one saga an activity works whatever the dice say: every outage ends.</summary>
    const int CallsMax = 40;

    static readonly TimeSpan Hang = TimeSpan.FromSeconds(45);
    static readonly TimeSpan Late = TimeSpan.FromMilliseconds(40);

    static readonly FrozenSet<string> Reconciled =
    [
        nameof(Views.ProjectOrderDetails), nameof(Views.ProjectOrderList), nameof(Views.ProjectAvailability),
        nameof(Views.ProjectOrderStatistics), nameof(Outbox.RelayEvents), nameof(StartSagas.StartPlacedOrders),
    ];

    static readonly FrozenSet<string> MayRefuse = ["ReserveStock", "AuthorizePayment", "BookShipment", "ConfirmOrder"];

    readonly ConcurrentDictionary<(string, string), int> calls = new();
    readonly ConcurrentDictionary<string, int> struck = new();
    int hanging;

    /// <summary>How often each thing went wrong.</summary>
    public IReadOnlyDictionary<string, int> Struck => struck;

    /// <summary>Somebody waits for time to pass while he counts as busy.</summary>
    public bool IsAnyoneHanging => Volatile.Read(ref hanging) > 0;

    public bool On { get; set; }

    public Task Around(FunctionContext context, Func<Task> next)
    {
        var name = context.FunctionDefinition.Name;
        if (context.BindingContext.BindingData.TryGetValue("instanceId", out var saga) && saga is string id)
        {
            // Counted while nothing goes wrong as well: what happened then is not refused afterwards either.
            var call = calls.AddOrUpdate((id, name), 1, (_, n) => n + 1);
            return On ? ActivityAsync(context, next, id, name, call) : next();
        }

        return On && context.FunctionDefinition.InputBindings.Values.Any(b => b.Type == "cosmosDBTrigger")
            ? DeliveryAsync(next, name)
            : next();
    }

    // The feed delivers at least once and when it likes; here often twice, and each batch at once after itself. Now and
    // then a view never gets its batch, as when a trigger fails for good: then the reconciliation must bring it.
    async Task DeliveryAsync(Func<Task> next, string name)
    {
        var delivery = calls.AddOrUpdate(("delivery", name), 1, (_, n) => n + 1);
        switch (Dice("delivery", name, delivery))
        {
            case < 0.15:
                await next();
                Count("batch delivered twice");
                await next();
                break;
            case < 0.25:
                Count("batch delivered late");
                await Task.Delay(Late, TimeProvider.System);
                await next();
                break;
            case < 0.27 when Reconciled.Contains(name):
                Count("batch lost");
                break;
            default:
                await next();
                break;
        }
    }

    async Task ActivityAsync(FunctionContext context, Func<Task> next, string saga, string activity, int call)
    {
        // One activity in two hundred is down for long: its saga exhausts its patience and gives up, or parks.
        var down = call <= CallsMax && Dice(saga, activity, 0) < 0.005;
        var dice = down ? 0.04 : call <= CallsMax ? Dice(saga, activity, call) : 1;
        switch (dice)
        {
            // Only at first: what has happened once is not refused afterwards.
            case < 0.01 when call == 1 && MayRefuse.Contains(activity):
                Count("activity refused");
                context.GetInvocationResult().Value = new Refusal("made-up", "Refused on purpose.");
                break;
            case >= 0.01 and < 0.05:
                Count("activity failed before its effect");
                throw new TimeoutException("No answer, and nothing happened.");
            case >= 0.05 and < 0.09:
                await next();
                Count("activity failed after its effect");
                throw new TimeoutException("It happened, and the answer was lost.");
            case >= 0.09 and < 0.10:
                Count("activity hung, then happened");
                Interlocked.Increment(ref hanging);
                try
                {
                    await Task.Delay(Hang, clock, context.CancellationToken);
                }
                finally
                {
                    Interlocked.Decrement(ref hanging);
                }

                await next();
                break;
            default:
                await next();
                break;
        }
    }

    void Count(string what) => struck.AddOrUpdate(what, 1, (_, n) => n + 1);

    double Dice(string saga, string activity, int call) => BitConverter.ToUInt32(
        SHA256.HashData(Encoding.UTF8.GetBytes($"{seed} {saga} {activity} {call}"))) / (double)uint.MaxValue;
}
