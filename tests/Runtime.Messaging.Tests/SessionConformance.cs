using Azure.Messaging.ServiceBus;

namespace Runtime.Messaging.Tests;

public sealed class MemorySessionTests() : SessionConformance(durable: false);

public sealed class SqliteSessionTests() : SessionConformance(durable: true);

/// <summary>What sessions promise: one holder, one order, one state.</summary>
public abstract class SessionConformance(bool durable) : BrokerWorld(durable)
{
    ServiceBusSender Sender => Client.CreateSender("sessions");

    [Fact]
    public async Task A_session_gives_its_own_messages_in_order()
    {
        await SendAsync("a1", "b1", "a2", "b2", "a3");
        var a = await Client.AcceptSessionAsync("sessions", "a");
        var b = await Client.AcceptSessionAsync("sessions", "b");
        Assert.Equal(["a1", "a2", "a3"], Bodies(await TakeAsync(a)));
        Assert.Equal(["b1", "b2"], Bodies(await TakeAsync(b)));
    }

    [Fact]
    public async Task The_session_that_has_waited_longest_is_accepted_next()
    {
        await SendAsync("a1", "b1", "c1");
        Assert.Equal("a", (await Client.AcceptNextSessionAsync("sessions")).SessionId);
        var b = await Client.AcceptNextSessionAsync("sessions");
        Assert.Equal("b", b.SessionId);
        await b.CloseAsync();
        Assert.Equal("b", (await Client.AcceptNextSessionAsync("sessions")).SessionId);
        Assert.Equal("c", (await Client.AcceptNextSessionAsync("sessions")).SessionId);
    }

    [Fact]
    public async Task Accepting_waits_for_a_session_and_gives_up_with_a_timeout()
    {
        var waiting = Client.AcceptNextSessionAsync("sessions");
        await SendAsync("a1");
        Assert.Equal("a", (await waiting).SessionId);

        var tooLong = Client.AcceptNextSessionAsync("sessions");
        Clock.Advance(TimeSpan.FromSeconds(59));
        Assert.False(tooLong.IsCompleted);
        Clock.Advance(TimeSpan.FromSeconds(1));
        await RefusedAsync(ServiceBusFailureReason.ServiceTimeout, () => tooLong);
    }

    [Fact]
    public async Task A_held_session_is_nobody_elses()
    {
        await SendAsync("a1");
        await using (await Client.AcceptSessionAsync("sessions", "a"))
        {
            await RefusedAsync(
                ServiceBusFailureReason.SessionCannotBeLocked, () => Client.AcceptSessionAsync("sessions", "a"));
            var next = Client.AcceptNextSessionAsync("sessions");
            await SendAsync("a2");
            Assert.False(next.IsCompleted);
            await SendAsync("b1");
            Assert.Equal("b", (await next).SessionId);
        }

        Assert.Equal(["a1", "a2"], Bodies(await TakeAsync(await Client.AcceptSessionAsync("sessions", "a"))));
    }

    [Fact]
    public async Task A_holder_that_waits_gets_what_joins_its_session()
    {
        var empty = await Client.AcceptSessionAsync("sessions", "a");
        var waiting = empty.ReceiveMessageAsync(TimeSpan.FromSeconds(10));
        await SendAsync("b1", "a1");
        Assert.Equal("a1", (await waiting)!.Body.ToString());
    }

    [Fact]
    public async Task An_abandoned_message_blocks_those_behind_it()
    {
        await SendAsync("a1", "a2");
        var session = await Client.AcceptSessionAsync("sessions", "a");
        await session.AbandonMessageAsync((await TakeAsync(session, 1))[0]);
        var again = await TakeAsync(session);
        Assert.Equal(["a1", "a2"], Bodies(again));
        Assert.Equal([2, 1], again.Select(message => message.DeliveryCount));
    }

    [Fact]
    public async Task Closing_gives_messages_back_uncounted_and_an_ended_lock_counts_them()
    {
        await SendAsync("a1");
        await using (var closed = await Client.AcceptSessionAsync("sessions", "a"))
        {
            Assert.Equal(1, (await TakeAsync(closed))[0].DeliveryCount);
        }

        var expired = await Client.AcceptSessionAsync("sessions", "a");
        var message = (await TakeAsync(expired))[0];
        Assert.Equal((1, expired.SessionLockedUntil), (message.DeliveryCount, message.LockedUntil));
        Clock.Advance(TimeSpan.FromMinutes(1));

        var next = await Client.AcceptNextSessionAsync("sessions");
        Assert.Equal(2, (await TakeAsync(next))[0].DeliveryCount);
        await RefusedAsync(ServiceBusFailureReason.SessionLockLost, () => expired.CompleteMessageAsync(message));
        await RefusedAsync(ServiceBusFailureReason.SessionLockLost, () => expired.RenewSessionLockAsync());
        await RefusedAsync(ServiceBusFailureReason.SessionLockLost, () => expired.ReceiveMessageAsync());
        await RefusedAsync(ServiceBusFailureReason.SessionLockLost, () => expired.GetSessionStateAsync());
        await expired.CloseAsync();
        await next.RenewSessionLockAsync();
    }

    [Fact]
    public async Task A_renewed_session_is_held_on()
    {
        await SendAsync("a1");
        var session = await Client.AcceptSessionAsync("sessions", "a");
        var message = (await TakeAsync(session))[0];
        for (var minute = 0; minute < 5; minute++)
        {
            Clock.Advance(TimeSpan.FromSeconds(50));
            await session.RenewSessionLockAsync();
            Assert.Equal(Clock.GetUtcNow() + TimeSpan.FromMinutes(1), session.SessionLockedUntil);
        }

        await Assert.ThrowsAsync<InvalidOperationException>(() => session.RenewMessageLockAsync(message));
        await session.CompleteMessageAsync(message);
    }

    [Fact]
    public async Task A_waiting_holder_learns_that_its_lock_has_ended()
    {
        var session = await Client.AcceptSessionAsync("sessions", "a");
        var waiting = session.ReceiveMessageAsync(TimeSpan.FromMinutes(5));
        Clock.Advance(TimeSpan.FromMinutes(1));
        await RefusedAsync(ServiceBusFailureReason.SessionLockLost, () => waiting);
    }

    [Fact]
    public async Task A_sessions_state_outlives_its_messages_and_holders()
    {
        await using (var first = await Client.AcceptSessionAsync("sessions", "a"))
        {
            Assert.Null(await first.GetSessionStateAsync());
            await first.SetSessionStateAsync(BinaryData.FromString("half-way"));
        }

        await using (var second = await Client.AcceptSessionAsync("sessions", "a"))
        {
            Assert.Equal("half-way", (await second.GetSessionStateAsync())!.ToString());
            await RefusedAsync(
                ServiceBusFailureReason.MessageSizeExceeded,
                () => second.SetSessionStateAsync(BinaryData.FromBytes(new byte[256 * 1024 + 1])));
            await second.SetSessionStateAsync(null);
        }

        Assert.Null(await (await Client.AcceptSessionAsync("sessions", "a")).GetSessionStateAsync());
        Assert.Equal(0, (await Broker.CountAsync()).Single(c => c.Path == "sessions").SizeBytes);
    }

    [Fact]
    public async Task A_poisoned_head_is_dead_lettered_and_the_session_goes_on()
    {
        await SendAsync("a1", "a2");
        var session = await Client.AcceptSessionAsync("sessions", "a");
        for (var delivery = 0; delivery < 3; delivery++)
        {
            await session.AbandonMessageAsync((await TakeAsync(session, 1))[0]);
        }

        Assert.Equal(["a2"], Bodies(await TakeAsync(session)));
        var dead = Assert.Single(await TakeAsync(DeadLetters("sessions")));
        Assert.Equal(("a", "MaxDeliveryCountExceeded"), (dead.SessionId, dead.DeadLetterReason));
    }

    [Fact]
    public async Task A_deferred_message_belongs_to_its_session()
    {
        await SendAsync("a1", "b1");
        var a = await Client.AcceptSessionAsync("sessions", "a");
        var message = (await TakeAsync(a))[0];
        var number = message.SequenceNumber;
        await a.DeferMessageAsync(message);
        var b = await Client.AcceptSessionAsync("sessions", "b");
        await RefusedAsync(ServiceBusFailureReason.MessageNotFound, () => b.ReceiveDeferredMessageAsync(number));
        await a.CompleteMessageAsync(await a.ReceiveDeferredMessageAsync(number));
    }

    [Fact]
    public async Task Sessions_and_plain_receivers_do_not_mix()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => Sender.SendMessageAsync(new("no session")));
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => Client.CreateReceiver("sessions").ReceiveMessageAsync());
        await Assert.ThrowsAsync<InvalidOperationException>(() => Client.AcceptSessionAsync("plain", "a"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Client.AcceptNextSessionAsync("plain"));
    }

    [Fact]
    public async Task Peeking_in_a_session_shows_only_that_session()
    {
        await SendAsync("a1", "b1", "a2");
        var session = await Client.AcceptSessionAsync("sessions", "a");
        Assert.Equal(["a1", "a2"], Bodies(await session.PeekMessagesAsync(10)));
        Assert.Equal(["a1", "b1", "a2"], Bodies(await Client.CreateReceiver("sessions").PeekMessagesAsync(10)));
    }

    [Fact]
    public async Task Many_consumers_keep_every_session_in_order()
    {
        const int sessions = 12, each = 25, consumers = 6;
        var sends = Enumerable.Range(0, sessions).Select(async s =>
        {
            for (var i = 0; i < each; i++)
            {
                await Sender.SendMessageAsync(new($"{i}") { SessionId = $"s{s}" });
            }
        });
        var seen = new System.Collections.Concurrent.ConcurrentDictionary<string, List<int>>();
        var left = sessions * each;
        using var over = new CancellationTokenSource();
        var consuming = Enumerable.Range(0, consumers).Select(async c =>
        {
            while (!over.IsCancellationRequested)
            {
                try
                {
                    await using var session = await Client.AcceptNextSessionAsync(
                        "sessions", cancellationToken: over.Token);
                    var order = seen.GetOrAdd(session.SessionId, _ => []);
                    foreach (var message in await session.ReceiveMessagesAsync(1 + c, cancellationToken: over.Token))
                    {
                        // Only the holder touches the list, or the session was not exclusive.
                        order.Add(int.Parse(message.Body.ToString(), null));
                        await session.CompleteMessageAsync(message);
                        if (Interlocked.Decrement(ref left) == 0)
                        {
                            await over.CancelAsync();
                        }
                    }
                }
                catch (OperationCanceledException) when (over.IsCancellationRequested)
                {
                    return;
                }
            }
        });
        await Task.WhenAll([.. sends, .. consuming.Select(c => Task.Run(() => c))]);

        Assert.Equal(sessions, seen.Count);
        Assert.All(seen.Values, order => Assert.Equal(Enumerable.Range(0, each), order));
    }

    static async Task<ServiceBusException> RefusedAsync(ServiceBusFailureReason reason, Func<Task> call)
    {
        var refusal = await Assert.ThrowsAsync<ServiceBusException>(call);
        Assert.Equal(reason, refusal.Reason);
        return refusal;
    }

    Task SendAsync(params string[] bodies) =>
        Sender.SendMessagesAsync(bodies.Select(body => new ServiceBusMessage(body) { SessionId = body[..1] }));
}
