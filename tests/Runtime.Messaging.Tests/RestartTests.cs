using Azure.Messaging.EventHubs;
using Azure.Messaging.EventHubs.Consumer;
using Azure.Messaging.EventHubs.Producer;
using Azure.Messaging.ServiceBus;

namespace Runtime.Messaging.Tests;

/// <summary>What the next life of a broker finds in the file.</summary>
public sealed class RestartTests() : BrokerWorld(durable: true)
{
    [Fact]
    public async Task Messages_stay_in_order_and_numbers_are_not_given_twice()
    {
        await Client.CreateSender("plain").SendMessagesAsync([new("1"), new("2")]);
        var receiver = Client.CreateReceiver("plain");
        var both = await TakeAsync(receiver);
        await receiver.CompleteMessageAsync(both[0]);
        await receiver.CompleteMessageAsync(both[1]);
        await Client.CreateSender("plain").SendMessageAsync(new("3"));

        await ReopenAsync();
        await Client.CreateSender("plain").SendMessageAsync(new("4"));
        var messages = await TakeAsync(Client.CreateReceiver("plain"));
        Assert.Equal(["3", "4"], Bodies(messages));
        Assert.Equal([3, 4], messages.Select(message => message.SequenceNumber));
    }

    [Fact]
    public async Task Locks_are_lost_and_the_next_delivery_counts_one_more()
    {
        await Client.CreateSender("plain").SendMessageAsync(new("held"));
        var held = (await TakeAsync(Client.CreateReceiver("plain")))[0];

        await ReopenAsync();
        var receiver = Client.CreateReceiver("plain");
        var again = Assert.Single(await TakeAsync(receiver));
        Assert.Equal(2, again.DeliveryCount);
        var lost = await Assert.ThrowsAsync<ServiceBusException>(() => receiver.CompleteMessageAsync(held));
        Assert.Equal(ServiceBusFailureReason.MessageLockLost, lost.Reason);
        await receiver.CompleteMessageAsync(again);

        await ReopenAsync();
        Assert.Empty(await TakeAsync(Client.CreateReceiver("plain")));
    }

    [Fact]
    public async Task A_message_that_brings_the_process_down_every_time_ends_among_the_dead_letters()
    {
        await Client.CreateSender("plain").SendMessageAsync(new("deadly"));
        for (var life = 0; life < 3; life++)
        {
            Assert.Single(await TakeAsync(Client.CreateReceiver("plain")));
            await ReopenAsync();
        }

        Assert.Empty(await TakeAsync(Client.CreateReceiver("plain")));
        Assert.Equal("MaxDeliveryCountExceeded", (await TakeAsync(DeadLetters("plain"))).Single().DeadLetterReason);
        await ReopenAsync();
        Assert.Equal(["deadly"], Bodies(await TakeAsync(DeadLetters("plain"))));
    }

    [Fact]
    public async Task Deferred_scheduled_dead_and_changed_messages_are_what_they_were()
    {
        var sender = Client.CreateSender("plain");
        await sender.SendMessagesAsync([new("deferred"), new("dead"), new("changed")]);
        await sender.ScheduleMessageAsync(new("scheduled"), Clock.GetUtcNow() + TimeSpan.FromMinutes(10));
        var receiver = Client.CreateReceiver("plain");
        var taken = await TakeAsync(receiver);
        await receiver.DeferMessageAsync(taken[0], new Dictionary<string, object> { ["n"] = 1 });
        await receiver.DeadLetterMessageAsync(taken[1], "why", "so");
        await receiver.AbandonMessageAsync(taken[2], new Dictionary<string, object> { ["n"] = 2 });

        await ReopenAsync();
        receiver = Client.CreateReceiver("plain");
        Assert.Equal(2, Assert.Single(await TakeAsync(receiver)).ApplicationProperties["n"]);
        Assert.Equal(
            1, (await receiver.ReceiveDeferredMessageAsync(taken[0].SequenceNumber)).ApplicationProperties["n"]);
        Assert.Equal("why", Assert.Single(await TakeAsync(DeadLetters("plain"))).DeadLetterReason);
        Clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Contains("scheduled", Bodies(await TakeAsync(receiver)));
    }

    [Fact]
    public async Task What_fell_due_while_nobody_ran_happens_at_the_next_start()
    {
        await Client.CreateSender("plain").ScheduleMessageAsync(
            new("due"), Clock.GetUtcNow() + TimeSpan.FromMinutes(10));
        await Client.CreateSender("short-lived").SendMessageAsync(new("expired"));
        await Client.CreateSender("facts").ScheduleMessageAsync(
            new("fact") { SessionId = "s" }, Clock.GetUtcNow() + TimeSpan.FromMinutes(10));
        await Broker.DisposeAsync();
        Clock.Advance(TimeSpan.FromDays(1));

        await ReopenAsync();
        Assert.Equal(["due"], Bodies(await TakeAsync(Client.CreateReceiver("plain"))));
        Assert.Equal(["expired"], Bodies(await TakeAsync(DeadLetters("short-lived"))));
        Assert.Equal(["fact"], Bodies(await TakeAsync(Client.CreateReceiver("facts", "all"))));
    }

    [Fact]
    public async Task Duplicates_are_known_and_session_states_kept()
    {
        await Client.CreateSender("once").SendMessageAsync(new("1") { MessageId = "a" });
        await Client.CreateSender("sessions").SendMessageAsync(new("1") { SessionId = "s" });
        await using (var session = await Client.AcceptSessionAsync("sessions", "s"))
        {
            await session.SetSessionStateAsync(BinaryData.FromString("state"));
        }

        await ReopenAsync();
        await Client.CreateSender("once").SendMessageAsync(new("2") { MessageId = "a" });
        Assert.Equal(["1"], Bodies(await TakeAsync(Client.CreateReceiver("once"))));
        var again = await Client.AcceptNextSessionAsync("sessions");
        Assert.Equal(("s", "state"), (again.SessionId, (await again.GetSessionStateAsync())!.ToString()));

        // And forgotten when their window is over, in the file too.
        Clock.Advance(TimeSpan.FromMinutes(10));
        await Client.CreateSender("once").SendMessageAsync(new("3") { MessageId = "b" });
        await ReopenAsync();
        await Client.CreateSender("once").SendMessageAsync(new("4") { MessageId = "a" });
        Assert.Equal(["1", "3", "4"], Bodies(await Client.CreateReceiver("once").PeekMessagesAsync(10)));
    }

    [Fact]
    public async Task Events_offsets_and_checkpoints_go_on()
    {
        await SendEventsAsync("1", "2");
        using (var cursor = await OpenCursorAsync())
        {
            await cursor.CheckpointAsync((await cursor.ReadAsync(1, NoWait))[0]);
        }

        await ReopenAsync();
        await SendEventsAsync("3");
        using var next = await OpenCursorAsync();
        var events = await next.ReadAsync(10, NoWait);
        Assert.Equal(["2", "3"], events.Select(e => e.EventBody.ToString()));
        Assert.Equal([1, 2], events.Select(e => e.SequenceNumber));
        Assert.True(long.Parse(events[1].OffsetString!, null) > long.Parse(events[0].OffsetString!, null));

        await Broker.DisposeAsync();
        Clock.Advance(TimeSpan.FromDays(1));
        await ReopenAsync();
        await SendEventsAsync("4");
        using var last = await OpenCursorAsync();
        var only = Assert.Single(await last.ReadAsync(10, NoWait));
        Assert.Equal(("4", 3L), (only.EventBody.ToString(), only.SequenceNumber));
    }

    [Fact]
    public async Task An_entity_that_is_no_longer_named_is_kept_and_comes_back()
    {
        await Client.CreateSender("plain").SendMessageAsync(new("kept"));
        await ReopenAsync(Topology with { Queues = [.. Topology.Queues.Where(queue => queue.Name != "plain")] });
        Assert.Equal(["plain"], Broker.UnservedEntities);
        await Client.CreateSender("once").SendMessageAsync(new("other"));

        await ReopenAsync();
        Assert.Empty(Broker.UnservedEntities);
        Assert.Equal(["kept"], Bodies(await TakeAsync(Client.CreateReceiver("plain"))));
    }

    [Fact]
    public async Task Fewer_partitions_than_there_were_are_refused()
    {
        await Broker.DisposeAsync();
        var error = Assert.Throws<TopologyException>(() => MessageBroker.Open(
            Options, Topology with { Hubs = [Topology.Hubs[0] with { PartitionCount = 3 }] }));
        Assert.Contains("partitions cannot be taken away", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_has_one_broker_at_a_time()
    {
        await Client.CreateSender("plain").SendMessageAsync(new("x"));
        var error = Assert.Throws<IOException>(() => MessageBroker.Open(Options, Topology));
        Assert.Contains("in use by another process", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Somebody_elses_database_is_left_alone()
    {
        var other = Path.Combine(Path.GetDirectoryName(File)!, "other.db");
        await using (var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={other};Pooling=False"))
        {
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandText = "CREATE TABLE t(x); PRAGMA user_version = 7";
            await command.ExecuteNonQueryAsync();
        }

        var error = Assert.Throws<IOException>(() => MessageBroker.Open(Options with { File = other }, Topology));
        Assert.Contains("is not a messaging file", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Messages_beyond_the_memory_budget_are_read_from_the_file()
    {
        await Broker.DisposeAsync();
        await using var small = MessageBroker.Open(Options with { ResidentBytesMax = 1_000 }, Topology);
        var client = small.CreateServiceBusClient();
        for (var i = 0; i < 20; i++)
        {
            await client.CreateSender("plain").SendMessageAsync(new($"{i}" + new string('x', 200)));
        }

        Assert.InRange(small.Kernel.ResidentBytes, 1, 1_000);
        var receiver = client.CreateReceiver("plain");
        var messages = await TakeAsync(receiver);
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"{i}" + new string('x', 200)), Bodies(messages));
        foreach (var message in messages)
        {
            await receiver.DeadLetterMessageAsync(message, "r");
        }

        Assert.Equal(20, (await TakeAsync(client.CreateReceiver(
            "plain", new ServiceBusReceiverOptions { SubQueue = SubQueue.DeadLetter }))).Count);
        await small.DisposeAsync();
        await ReopenAsync();
        Assert.Equal(20, (await TakeAsync(DeadLetters("plain"))).Count);
    }

    Task SendEventsAsync(params string[] bodies) => Broker.CreateEventHubProducer("clicks").SendAsync(
        bodies.Select(body => new EventData(body)), new SendEventOptions { PartitionId = "0" });

    Task<PartitionCursor> OpenCursorAsync() => Broker.OpenCursorAsync("clicks", "views", "0", EventPosition.Earliest);
}
