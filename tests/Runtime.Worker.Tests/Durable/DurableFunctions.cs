using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace Runtime.Worker.Tests;

public sealed record Journey(string From, string To, int Days = 0);

public sealed class JourneyFunctions(Probe probe)
{
    [Function("PutJourney")]
    public static async Task<IResult> PutJourney(
        [HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "journeys/{id}")] HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancellation)
    {
        var journey = new Journey("Seoul", "Busan", Days: 30);
        await client.ScheduleNewOrchestrationInstanceAsync(nameof(Travel), journey, new(id), cancellation);
        return TypedResults.Accepted($"/api/journeys/{id}");
    }

    [Function("Travel")]
    public async Task<string> Travel([OrchestrationTrigger] TaskOrchestrationContext context, Journey journey)
    {
        if (!context.IsReplaying)
        {
            probe.Write($"travel version='{context.Version}'");
        }

        var left = await context.CallActivityAsync<string>("Leave", journey.From);
        await context.CreateTimer(TimeSpan.FromDays(journey.Days), CancellationToken.None);
        var stamp = await context.WaitForExternalEvent<string>("Stamp");
        return $"{left}, {stamp}, {await context.CallActivityAsync<int>("Arrive", journey)}";
    }

    [Function(nameof(Leave))]
    public string Leave([ActivityTrigger] string place, string instanceId, FunctionContext context)
    {
        probe.Write($"leave {place} {instanceId} {context.BindingContext.BindingData["instanceId"]}");
        return $"left {place}";
    }

    [Function("ArriveFunction")]
    public static Task<int> Arrive(
        [ActivityTrigger(Activity = "Arrive")] Journey journey, CancellationToken cancellation) =>
        Task.FromResult(cancellation.CanBeCanceled ? journey.To.Length : -1);

    [Function("Fragile")]
    public static Task Fragile([OrchestrationTrigger] TaskOrchestrationContext context) =>
        context.CallActivityAsync("Breaks", options: new TaskOptions(new RetryPolicy(3, TimeSpan.FromMinutes(1))));

    [Function("Breaks")]
    public void Breaks([ActivityTrigger] FunctionContext context)
    {
        probe.Write($"breaks {context.FunctionDefinition.Name}");
        throw new InvalidOperationException("it always does");
    }
}

public sealed class NumberFunctions
{
    [Function("Numbers")]
    public static async Task<int> Numbers([OrchestrationTrigger] TaskOrchestrationContext context, int? start) =>
        (start ?? 5) + await context.CallActivityAsync<int>("Twice", start);

    [Function("Twice")]
    public static int Twice([ActivityTrigger] int number) => 2 * number;
}

public static class BadDurableFunctions
{
    [Function("NoContext")]
    public static void NoContext([OrchestrationTrigger] string input) => Assert.NotNull(input);

    [Function("Two")]
    public static void Two([OrchestrationTrigger] TaskOrchestrationContext context, int one, int two) =>
        Assert.Equal(one, two);

    [Function("TwoInputs")]
    public static void TwoInputs([ActivityTrigger] int one, int two) => Assert.Equal(one, two);

    [Function("OtherHub")]
    public static void OtherHub(
        [TimerTrigger("0 0 * * * *")] TimerInfo timer,
        [DurableClient(TaskHub = "elsewhere")] DurableTaskClient client) => Assert.NotNull(client);

    [Function("WrongClient")]
    public static void WrongClient(
        [TimerTrigger("0 0 * * * *")] TimerInfo timer, [DurableClient] HttpClient client) => Assert.NotNull(client);

    [Function("First")]
    public static void First([ActivityTrigger(Activity = "Same")] int one) => Assert.Equal(0, one);

    [Function("Second")]
    public static void Second([ActivityTrigger(Activity = "same")] int one) => Assert.Equal(0, one);

    [Function("Repeated")]
    [FixedDelayRetry(3, "00:00:01")]
    public static void Repeated([ActivityTrigger] int one) => Assert.Equal(0, one);
}
