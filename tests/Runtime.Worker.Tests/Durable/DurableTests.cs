using System.Text.Json;
using Azure.Core.Serialization;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Runtime.DurableTask;

namespace Runtime.Worker.Tests;

public sealed class DurableTests
{
    readonly Probe probe = new();
    readonly TestLog log = new();
    readonly VirtualClock clock = new(new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task A_request_starts_an_orchestration_that_runs_through_weeks_and_events()
    {
        await using var host = await FunctionsHost.StartAsync(Options<JourneyFunctions>().WithHostJson("""
            {
              "version": "2.0",
              "extensions": { "durableTask": {
                "hubName": "%HUB%", "defaultVersion": "1.2", "maxConcurrentActivityFunctions": 2,
                "storageProvider": { "type": "azureManaged" }
              } }
            }
            """).With(("HUB", "orders")));
        using var client = host.Client();

        using var accepted = await client.PutAsync(new Uri("/api/journeys/j1", UriKind.Relative), null);
        Assert.Equal(202, (int)accepted.StatusCode);
        await clock.AdvanceAsync(TimeSpan.FromDays(30));
        await host.Durable.Client.RaiseEventAsync("j1", "Stamp", "stamped");
        var done = await host.Durable.Client.WaitForInstanceCompletionAsync("j1", getInputsAndOutputs: true);

        Assert.Equal("left Seoul, stamped, 5", done.ReadOutputAs<string>());
        Assert.Equal(["travel version='1.2'", "leave Seoul j1 j1"], probe.Diary);
        Assert.DoesNotContain(log.Lines, line => line.Text.StartsWith("host.json", StringComparison.Ordinal));
        Assert.Contains(host.Functions, f => f.ToString() == "ArriveFunction: [activityTrigger] Arrive");
    }

    [Fact]
    public async Task An_orchestration_survives_the_end_of_its_host()
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("durable").FullName, "tasks.db");
        var options = Options<JourneyFunctions>() with { DurableFile = file };
        await using (var first = await FunctionsHost.StartAsync(options))
        {
            await first.Durable.Client.ScheduleNewOrchestrationInstanceAsync(
                "Travel", new Journey("Seoul", "Busan"), new StartOrchestrationOptions("j2"));
            await first.Durable.WhenIdleAsync();
        }

        await using var second = await FunctionsHost.StartAsync(options);
        await second.Durable.Client.RaiseEventAsync("j2", "Stamp", "stamped");
        var done = await second.Durable.Client.WaitForInstanceCompletionAsync("j2", getInputsAndOutputs: true);

        Assert.Equal("left Seoul, stamped, 5", done.ReadOutputAs<string>());
        Assert.Single(probe.Diary, line => line.StartsWith("leave", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_refused_host_leaves_its_file_to_the_next()
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("durable").FullName, "tasks.db");
        await TestHost.RefusalAsync(TestHost.Options(typeof(BadDurableFunctions)) with { DurableFile = file });

        await using var host = await FunctionsHost.StartAsync(Options<NumberFunctions>() with { DurableFile = file });
        var id = await host.Durable.Client.ScheduleNewOrchestrationInstanceAsync("Numbers", 4);

        Assert.NotNull(await host.Durable.Client.WaitForInstanceCompletionAsync(id));
    }

    [Fact]
    public async Task Middleware_runs_around_orchestrators_and_activities_too()
    {
        await using var host = await FunctionsHost.StartAsync(Options<NumberFunctions>() with
        {
            Configure = builder => builder.UseMiddleware(async (context, next) =>
            {
                await next();
                probe.Write($"{context.FunctionDefinition.Name} {context.GetInvocationResult().Value} " +
                    $"{context.TraceContext.TraceParent.Length} {context.InstanceServices is not null}");
            }),
        });

        var id = await host.Durable.Client.ScheduleNewOrchestrationInstanceAsync("Numbers", 4);
        var done = await host.Durable.Client.WaitForInstanceCompletionAsync(id, getInputsAndOutputs: true);

        Assert.Equal(12, done.ReadOutputAs<int>());
        Assert.Equal(["Twice 8 55 True", "Numbers 12 55 True"], probe.Diary);
    }

    [Fact]
    public async Task A_value_that_is_missing_fails_the_activity_that_needs_it()
    {
        await using var host = await FunctionsHost.StartAsync(Options<NumberFunctions>());

        var id = await host.Durable.Client.ScheduleNewOrchestrationInstanceAsync("Numbers");
        var done = await host.Durable.Client.WaitForInstanceCompletionAsync(id, getInputsAndOutputs: true);

        Assert.Equal(OrchestrationRuntimeStatus.Failed, done.RuntimeStatus);
        Assert.Contains("Twice", done.FailureDetails!.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failing_activity_is_logged_and_retried_by_its_orchestrator_only()
    {
        await using var host = await FunctionsHost.StartAsync(Options<JourneyFunctions>().WithLog(log));

        var id = await host.Durable.Client.ScheduleNewOrchestrationInstanceAsync("Fragile");
        await clock.AdvanceAsync(TimeSpan.FromHours(1));
        var done = await host.Durable.Client.WaitForInstanceCompletionAsync(id, getInputsAndOutputs: true);

        Assert.Equal(OrchestrationRuntimeStatus.Failed, done.RuntimeStatus);
        Assert.Equal(["breaks Breaks", "breaks Breaks", "breaks Breaks"], probe.Diary);
        Assert.Equal(3, log.Lines.Count(line => line.Category == "Function.Breaks" && line.Exception is not null));
        Assert.Single(log.Lines, line => line.Category == "Function.Fragile" && line.Exception is not null);
    }

    [Theory]
    [InlineData(false, """{"From":"a","To":"b","Days":3}""")]
    [InlineData(true, """{"from":"a","to":"b","days":3}""")]
    public async Task Inputs_are_stored_as_the_workers_serializer_writes_them(bool web, string stored)
    {
        await using var host = await FunctionsHost.StartAsync(Options<JourneyFunctions>() with
        {
            Configure = builder =>
            {
                builder.ConfigureFunctionsWebApplication();
                if (web)
                {
                    builder.Services.Configure<WorkerOptions>(
                        worker => worker.Serializer = new JsonObjectSerializer(JsonSerializerOptions.Web));
                }
            },
        });

        var id = await host.Durable.Client.ScheduleNewOrchestrationInstanceAsync("Travel", new Journey("a", "b", 3));
        var instance = await host.Durable.Client.GetInstanceAsync(id, getInputsAndOutputs: true);

        Assert.Equal(stored, instance!.SerializedInput);
    }

    [Fact]
    public async Task A_disabled_activity_is_missing()
    {
        await using var host = await FunctionsHost.StartAsync(
            Options<NumberFunctions>().With(("AzureWebJobs.Twice.Disabled", "true")));

        var id = await host.Durable.Client.ScheduleNewOrchestrationInstanceAsync("Numbers", 4);
        var done = await host.Durable.Client.WaitForInstanceCompletionAsync(id, getInputsAndOutputs: true);

        Assert.Equal("ActivityTaskNotFound", done.FailureDetails!.InnerFailure?.ErrorType);
    }

    [Theory]
    [InlineData("NoContext", "parameter 'input': an orchestrator is given a TaskOrchestrationContext")]
    [InlineData("Two", "parameter 'two': nothing fills it")]
    [InlineData("TwoInputs", "parameter 'two': an activity has one input")]
    [InlineData("OtherHub", "parameter 'client': task hub 'elsewhere' is not this host's")]
    [InlineData("WrongClient", "parameter 'client': [DurableClient] fills a DurableTaskClient, not HttpClient")]
    [InlineData("Second", "There is already an activity named 'same'")]
    [InlineData("Repeated", "[FixedDelayRetryAttribute] has no effect")]
    public async Task A_task_that_cannot_run_is_refused_at_start(string function, string reason)
    {
        var message = await TestHost.RefusalAsync(TestHost.Options(typeof(BadDurableFunctions)));

        Assert.Contains(message.Split('\n'), line =>
            line.Contains($"'{function}'", StringComparison.Ordinal) &&
            line.Contains(reason, StringComparison.Ordinal));
    }

    FunctionsHostOptions Options<T>() => (TestHost.Options(typeof(T)) with
    {
        Clock = clock,
        Replace = services => services.AddSingleton(probe),
    }).WithLog(log);
}
