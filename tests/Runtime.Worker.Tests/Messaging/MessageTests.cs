using System.Text.Json;
using Azure.Messaging.ServiceBus;

namespace Runtime.Worker.Tests;

public sealed class MessageTests : BrokerHost
{
    static readonly (string, string) Queue = ("Queue", "plain");

    [Fact]
    public async Task A_message_is_completed_when_its_function_returned()
    {
        await using var host = await StartPlainAsync();
        await SendAsync("plain", "a");
        await Probe.Until(diary => diary.Contains("a 1 1"));

        await Broker.WhenIdleAsync();
        Assert.Equal(0, (await CountsAsync("plain")).Active);
        Assert.Contains(host.Functions, f => f.ToString() == "Plain: [serviceBusTrigger] plain");
    }

    [Fact]
    public async Task A_message_comes_again_when_its_function_threw_and_is_dead_when_it_always_does()
    {
        await using var host = await StartPlainAsync();
        await SendAsync("plain", "stumble", "poison");
        var dead = await DeadLetterAsync("plain");
        await Probe.Until(diary => diary.Contains("stumble 2 2"));

        Assert.Equal("poison", dead.Body.ToString());
        Assert.Equal("MaxDeliveryCountExceeded", dead.DeadLetterReason);
        Assert.Equal(
            ["poison 1 1", "poison 2 2", "poison 3 3", "stumble 1 1", "stumble 2 2"],
            Probe.Diary.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task As_many_messages_are_handled_at_once_as_host_json_says()
    {
        await using var host = await FunctionsHost.StartAsync(Options<PlainFunctions>().With(Queue).WithHostJson("""
            { "version": "2.0", "extensions": { "serviceBus": { "maxConcurrentCalls": 2 } } }
            """));
        await SendAsync("plain", "wait 1", "wait 2", "wait 3");
        await Probe.Until(diary => diary.Count == 2);
        Assert.DoesNotContain("wait 3 1 1", Probe.Diary);

        Probe.Open("wait 1");
        await Probe.Until(diary => diary.Contains("wait 3 1 1"));
        Probe.Open("wait 2");
        Probe.Open("wait 3");
    }

    [Fact]
    public async Task Stopping_lets_a_running_function_finish_and_its_message_is_gone()
    {
        var host = await StartPlainAsync();
        await SendAsync("plain", "wait");
        await Probe.Until(diary => diary.Count == 1);
        var stopping = host.StopAsync();
        Assert.False(stopping.IsCompleted);
        Probe.Open("wait");
        await stopping;
        await host.DisposeAsync();

        Assert.Equal(0, (await CountsAsync("plain")).Active);
    }

    [Fact]
    public async Task A_function_called_off_by_a_host_without_patience_costs_its_message_one_delivery()
    {
        string[] bodies = ["heed a", "heed b", "heed c", "heed d"];
        var host = await StartPlainAsync();
        await SendAsync("plain", bodies);
        await Probe.Until(diary => diary.Count == bodies.Length);

        // They heed their token: given back while the host still listened, they would come again, be called off again,
        // and lie with the dead letters before it has stopped.
        await host.StopAsync(new CancellationToken(canceled: true));
        await host.DisposeAsync();

        Assert.Equal(bodies.Select(body => $"{body} 1 1"), Probe.Diary.Order(StringComparer.Ordinal));
        var counts = await CountsAsync("plain");
        Assert.Equal((bodies.Length, 0), (counts.Active, counts.DeadLettered));
        await using var next = await StartPlainAsync();
        await Probe.Until(diary => bodies.All(body => diary.Contains($"{body} 2 2")));
        foreach (var body in bodies) Probe.Open(body);
    }

    [Fact]
    public async Task What_was_sent_and_not_completed_before_a_crash_comes_after_the_restart()
    {
        var host = await StartPlainAsync();
        await SendAsync("plain", "wait");
        await Probe.Until(diary => diary.Contains("wait 1 1"));

        // The broker goes first, as in a crash: nothing can be settled any more.
        await ReopenAsync();
        Probe.Open("wait");
        await host.DisposeAsync();

        await using var next = await StartPlainAsync();
        await Probe.Until(diary => diary.Contains("wait 2 2"));
    }

    [Fact]
    public async Task A_message_whose_lock_was_lost_comes_again()
    {
        Broker.Faults.LockLosses = 1;
        await using var host = await StartPlainAsync();
        await SendAsync("plain", "wait");
        await Probe.Until(diary => diary.Contains("wait 1 1"));
        Probe.Open("wait");
        await Probe.Until(diary => diary.Contains("wait 2 2"));

        Assert.Contains(Log.Lines, line => line.Exception is ServiceBusException
        {
            Reason: ServiceBusFailureReason.MessageLockLost,
        });
    }

    [Fact]
    public async Task A_disabled_function_takes_no_messages()
    {
        await using var host = await FunctionsHost.StartAsync(
            Options<PlainFunctions>().With(("AzureWebJobs.Plain.Disabled", "true")));
        await SendAsync("plain", "a");

        Assert.Equal(1, (await CountsAsync("plain")).Active);
    }

    [Fact]
    public async Task A_function_settles_its_messages_by_hand()
    {
        await using var host = await StartAsync<ManualFunctions>();
        await SendAsync("manual", "complete", "abandon", "bury", "defer");
        await Probe.Until(diary => diary.Count == 6);
        var dead = await DeadLetterAsync("manual");
        var counts = await CountsAsync("manual");

        Assert.Equal(
            ["abandon 1", "abandon 2", "bury 1", "complete 1", "defer 1", "note: a note"],
            Probe.Diary.Order(StringComparer.Ordinal));
        Assert.Equal(
            ("unreadable", "It makes no sense.", "hand"),
            (dead.DeadLetterReason, dead.DeadLetterErrorDescription, dead.ApplicationProperties["by"]));
        Assert.Equal((0, 1), (counts.Active, counts.Deferred));
    }

    [Fact]
    public async Task What_a_function_left_unsettled_stays_locked()
    {
        await using var host = await StartAsync<ManualFunctions>();
        await SendAsync("manual", "leave");
        await Probe.Until(diary => diary.Contains("leave 1"));

        Assert.Equal(1, (await CountsAsync("manual")).Active);
        Assert.False(Broker.WhenIdleAsync().IsCompleted);
    }

    [Fact]
    public async Task A_batch_comes_as_an_array_and_an_output_sends_each_element()
    {
        await SendAsync("batch", "a", "b");
        await using var host = await StartAsync<BatchFunctions>();
        await Probe.Until(diary => diary.Contains("batch a b"));
        await using var sent = Client.CreateReceiver("plain");
        await TakenAsync(sent, "a", "b");
        await Broker.WhenIdleAsync();
        Assert.Equal(["batch a b"], Probe.Diary);
    }

    [Fact]
    public async Task A_batch_shares_one_outcome()
    {
        await SendAsync("batch", "c", "poison");
        await using var host = await StartAsync<BatchFunctions>();
        await using var dead = Client.CreateReceiver(
            "batch", new ServiceBusReceiverOptions { SubQueue = SubQueue.DeadLetter });
        await TakenAsync(dead, "c", "poison");
        Assert.Equal(["batch c poison", "batch c poison"], Probe.Diary);
    }

    [Fact]
    public async Task A_batch_is_no_larger_than_host_json_says()
    {
        await SendAsync("batch", "a", "b", "c");
        await using var host = await StartAsync<BatchFunctions>("""
            { "version": "2.0", "extensions": { "serviceBus": { "maxMessageBatchSize": 2 } } }
            """);
        await Probe.Until(diary => diary.Count == 2);

        Assert.Equal(["batch a b", "batch c"], Probe.Diary);
    }

    [Fact]
    public async Task A_body_becomes_a_type_and_an_unreadable_one_a_dead_letter()
    {
        await using var host = await StartAsync<FactFunctions>();
        await SendAsync("facts", JsonSerializer.Serialize(new { name = "x", size = 1 }), "{ no json");
        await Probe.Until(diary => diary.Contains("clicked x 2"));
        var dead = await DeadLetterAsync("facts", "all");

        Assert.Equal("{ no json", dead.Body.ToString());
        Assert.Equal(["fact x 1", "clicked x 2"], Probe.Diary);
    }

    Task<FunctionsHost> StartPlainAsync() => FunctionsHost.StartAsync(Options<PlainFunctions>().With(Queue));

    async Task<Runtime.Messaging.EntityCounts> CountsAsync(string queue) =>
        (await Broker.CountAsync()).Single(counts => counts.Path == queue);

    static async Task TakenAsync(ServiceBusReceiver receiver, params string[] bodies)
    {
        var taken = new List<string>();
        while (taken.Count < bodies.Length &&
            await receiver.ReceiveMessageAsync(TimeSpan.FromSeconds(20)) is { } message)
        {
            taken.Add(message.Body.ToString());
            await receiver.CompleteMessageAsync(message);
        }

        Assert.Equal(bodies, taken.Order(StringComparer.Ordinal));
    }
}
