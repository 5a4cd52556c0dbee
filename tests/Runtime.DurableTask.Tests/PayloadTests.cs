using System.Text.Json;
using Microsoft.DurableTask;
using static Microsoft.DurableTask.Client.OrchestrationRuntimeStatus;

namespace Runtime.DurableTask.Tests;

public sealed class PayloadTests
{
    static readonly string JsonError = typeof(JsonException).FullName!;

    [Theory, EveryStorage]
    public async Task An_event_of_the_wrong_type_fails_the_instance_from_outside(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc<string>("Waits", async context =>
            {
                try
                {
                    await context.WaitForExternalEvent<int>("Number");
                }
                catch (JsonException)
                {
                    return "seen";
                }

                return "fine";
            }));

        var id = await host.ScheduleAsync("Waits");
        await host.RaiseAsync(id, "Number", "seven");

        var ended = await host.AtRestAsync(id);
        Assert.Equal(Failed, ended.RuntimeStatus);
        Assert.Equal(JsonError, ended.FailureDetails!.ErrorType);
    }

    [Theory, EveryStorage]
    public async Task A_buffered_event_of_the_wrong_type_fails_the_instance_as_well(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddOrchestratorFunc<string>("Waits", async context =>
            {
                await context.CreateTimer(TimeSpan.FromMinutes(1), CancellationToken.None);
                try
                {
                    return (await context.WaitForExternalEvent<int>("Number")).ToString(
                        System.Globalization.CultureInfo.InvariantCulture);
                }
                catch (JsonException)
                {
                    return "seen";
                }
            }));

        var id = await host.ScheduleAsync("Waits");
        await host.RaiseAsync(id, "Number", "seven");
        await host.AdvanceAsync(TimeSpan.FromMinutes(1));

        Assert.Equal(JsonError, (await host.AtRestAsync(id)).FailureDetails!.ErrorType);
    }

    [Theory, EveryStorage]
    public async Task A_result_of_the_wrong_type_throws_where_it_is_awaited(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc("Text", _ => "seven")
            .AddOrchestratorFunc<string>("Reads", async context =>
            {
                try
                {
                    await context.CallActivityAsync<int>("Text");
                    return "fine";
                }
                catch (JsonException)
                {
                    return "seen";
                }
            }));

        Assert.Equal("seen", (await host.RunAsync("Reads")).ReadOutputAs<string>());
    }

    [Theory, EveryStorage]
    public async Task An_activity_input_of_the_wrong_type_is_a_failed_task_caused_by_it(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc<int, int>("Double", (_, number) => number * 2)
            .AddOrchestratorFunc<bool>("Calls", async context =>
            {
                try
                {
                    await context.CallActivityAsync<int>("Double", "seven");
                    return false;
                }
                catch (TaskFailedException failed)
                {
                    return failed.FailureDetails.IsCausedBy<JsonException>();
                }
            }));

        Assert.True((await host.RunAsync("Calls")).ReadOutputAs<bool>());
    }

    [Theory, EveryStorage]
    public async Task An_orchestrator_input_of_the_wrong_type_fails_the_instance(Storage storage)
    {
        await using var host = await TestHost.StartAsync(
            storage, registry => registry.AddOrchestratorFunc<int, int>("Same", (_, number) => number));

        Assert.Equal(JsonError, (await host.RunAsync("Same", "seven")).FailureDetails!.ErrorType);
    }

    [Theory, EveryStorage]
    public async Task Without_input_an_orchestrator_of_a_value_gets_its_default(Storage storage)
    {
        await using var host = await TestHost.StartAsync(
            storage, registry => registry.AddOrchestratorFunc<int, int>("Next", (_, number) => number + 1));

        Assert.Equal(1, (await host.RunAsync("Next")).ReadOutputAs<int>());
    }

    [Theory, EveryStorage]
    public async Task Without_input_an_activity_of_a_value_fails_and_one_of_a_reference_gets_null(Storage storage)
    {
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc<int, int>("Number", (_, number) => number)
            .AddActivityFunc<int?, bool>("Maybe", (_, number) => number is null)
            .AddActivityFunc<string?, bool>("Text", (_, text) => text is null)
            .AddOrchestratorFunc<string>("Calls", async context =>
            {
                var nulls = await context.CallActivityAsync<bool>("Text")
                    && await context.CallActivityAsync<bool>("Maybe");
                try
                {
                    await context.CallActivityAsync<int>("Number");
                    return "fine";
                }
                catch (TaskFailedException failed)
                {
                    return $"{nulls} {failed.FailureDetails.ErrorType}";
                }
            }));

        Assert.Equal($"True {JsonError}", (await host.RunAsync("Calls")).ReadOutputAs<string>());
    }

    [Theory, EveryStorage]
    public async Task Arrays_tuples_and_odd_strings_survive(Storage storage)
    {
        string?[] odd = ["[1,2]", "null", "", "\"", "{}", "  ", "ünï😀", "\0\u001f", null];
        await using var host = await TestHost.StartAsync(storage, registry => registry
            .AddActivityFunc<string?, string?>("Text", (_, text) => text)
            .AddActivityFunc<int[], int[]>("Array", (_, numbers) => numbers)
            .AddActivityFunc<(int, string), (int, string)>("Tuple", (_, tuple) => tuple)
            .AddActivityFunc<Member, Member>("Member", (_, member) => member)
            .AddOrchestratorFunc<string?[], bool>("Calls", async (context, texts) =>
            {
                foreach (var text in texts)
                {
                    Assert.Equal(text, await context.CallActivityAsync<string?>("Text", text));
                }

                Assert.Equal<int>(new[] { 1, 2 }, await context.CallActivityAsync<int[]>("Array", new[] { 1, 2 }));
                Assert.Equal((1, "a"), await context.CallActivityAsync<(int, string)>("Tuple", (1, "a")));
                Assert.Equal(new Member("x"), await context.CallActivityAsync<Member>("Member", new Member("x")));
                return true;
            }));

        var ended = await host.RunAsync("Calls", odd);

        Assert.Null(ended.FailureDetails);
        Assert.True(ended.ReadOutputAs<bool>());
        Assert.Equal(odd, ended.ReadInputAs<string?[]>());
    }

    [Fact]
    public void The_converter_keeps_names_as_written_and_null_as_no_payload()
    {
        var converter = Microsoft.DurableTask.Converters.JsonDataConverter.Default;

        Assert.Equal("""{"Name":"x"}""", converter.Serialize(new Member("x")));
        Assert.Null(converter.Serialize(null));
        Assert.Null(converter.Deserialize<string>(null));
        Assert.Equal(0, converter.Deserialize<int>(null));
        Assert.Equal("""{"Item1":1,"Item2":"a"}""", converter.Serialize((1, "a")));
    }

    sealed record Member(string Name);
}
