using System.Collections.Concurrent;
using System.Threading.Channels;
using Azure.Messaging.ServiceBus;

namespace Runtime.Messaging.Tests;

public sealed class ProcessingTests() : BrokerWorld(durable: false)
{
    readonly Channel<string> handled = Channel.CreateUnbounded<string>();
    readonly ConcurrentQueue<ProcessErrorEventArgs> errors = [];

    [Fact]
    public async Task A_processor_handles_and_completes_every_message()
    {
        await SendAsync("1", "2", "3");
        await using var processor = Processor(new(), args => HandledAsync(args.Message));
        await processor.StartProcessingAsync();
        Assert.Equal(["1", "2", "3"], [await NextAsync(), await NextAsync(), await NextAsync()]);
        await SendAsync("4");
        Assert.Equal("4", await NextAsync());
        await processor.StopProcessingAsync();

        Assert.False(processor.IsProcessing);
        Assert.Empty(errors);
        Clock.Advance(TimeSpan.FromHours(1));
        Assert.Empty(await TakeAsync(Client.CreateReceiver("plain")));
    }

    [Fact]
    public async Task As_many_handlers_run_at_a_time_as_allowed()
    {
        await SendAsync("1", "2", "3", "4", "5");
        var gate = new TaskCompletionSource();
        int running = 0, most = 0;
        await using var processor = Processor(new() { MaxConcurrentCalls = 3 }, async args =>
        {
            most = Math.Max(most, Interlocked.Increment(ref running));
            await gate.Task;
            Interlocked.Decrement(ref running);
            await HandledAsync(args.Message);
        });
        await processor.StartProcessingAsync();
        await Eventually.TrueAsync(() => running == 3, "three handlers run");
        gate.SetResult();
        for (var i = 0; i < 5; i++)
        {
            await NextAsync();
        }

        Assert.Equal(3, most);
    }

    [Fact]
    public async Task A_handler_that_throws_is_told_about_and_its_message_comes_again()
    {
        await SendAsync("1");
        await using var processor = Processor(new(), args =>
        {
            handled.Writer.TryWrite($"{args.Message.DeliveryCount}");
            return args.Message.DeliveryCount < 3 ? throw new InvalidOperationException("no") : Task.CompletedTask;
        });
        await processor.StartProcessingAsync();
        Assert.Equal(["1", "2", "3"], [await NextAsync(), await NextAsync(), await NextAsync()]);
        await processor.StopProcessingAsync();
        Assert.Equal(2, errors.Count);
        Assert.All(errors, e => Assert.Equal(
            ("no", ServiceBusErrorSource.ProcessMessageCallback, "plain"),
                (e.Exception.Message, e.ErrorSource, e.EntityPath)));
        Assert.Empty(await TakeAsync(DeadLetters("plain")));
    }

    [Fact]
    public async Task A_handler_may_settle_by_itself()
    {
        await SendAsync("1");
        await using var processor = Processor(new(), async args =>
        {
            await args.DeadLetterMessageAsync(args.Message, "mine");
            await HandledAsync(args.Message);
        });
        await processor.StartProcessingAsync();
        await NextAsync();
        await processor.StopProcessingAsync();
        Assert.Empty(errors);
        Assert.Equal("mine", (await TakeAsync(DeadLetters("plain"))).Single().DeadLetterReason);
    }

    [Fact]
    public async Task A_lock_is_renewed_while_its_handler_runs_but_not_for_ever()
    {
        await SendAsync("1");
        var release = new TaskCompletionSource();
        ServiceBusReceivedMessage? message = null;
        await using var processor = Processor(
            new() { MaxAutoLockRenewalDuration = TimeSpan.FromSeconds(90) }, async args =>
        {
            message = args.Message;
            await release.Task;
        });
        await processor.StartProcessingAsync();
        await Eventually.TrueAsync(() => message is not null, "the handler runs");

        // The lock lasts 30 seconds and is renewed 10 seconds before its end.
        for (var renewal = 0; renewal < 4; renewal++)
        {
            var until = message!.LockedUntil;
            Clock.Advance(TimeSpan.FromSeconds(20));
            await Eventually.TrueAsync(() => message.LockedUntil > until, "the lock is renewed");
        }

        Clock.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(2, (await TakeAsync(Client.CreateReceiver("plain"))).Single().DeliveryCount);
        release.SetResult();
        await Eventually.TrueAsync(() => !errors.IsEmpty, "the lost lock is reported");
        Assert.Equal(ServiceBusFailureReason.MessageLockLost,
            Assert.IsType<ServiceBusException>(errors.First().Exception).Reason);
    }

    [Fact]
    public async Task Stopping_lets_running_handlers_finish_and_tells_them()
    {
        await SendAsync("1", "2");
        var stopping = new TaskCompletionSource();
        await using var processor = Processor(new(), async args =>
        {
            handled.Writer.TryWrite("began");
            await using var registration = args.CancellationToken.Register(stopping.SetResult);
            await stopping.Task;
        });
        await processor.StartProcessingAsync();
        await NextAsync();
        await processor.StopProcessingAsync();
        Assert.Equal(["2"], Bodies(await TakeAsync(Client.CreateReceiver("plain"))));
    }

    [Fact]
    public async Task A_processor_of_what_is_not_there_reports_and_keeps_trying()
    {
        var processor = Client.CreateProcessor("nowhere");
        processor.ProcessMessageAsync += _ => Task.CompletedTask;
        processor.ProcessErrorAsync += args =>
        {
            errors.Enqueue(args);
            return Task.CompletedTask;
        };
        await processor.StartProcessingAsync();
        for (var i = 1; i <= 3; i++)
        {
            await Eventually.TrueAsync(() => errors.Count == i, "the error is reported");
            await Eventually.TrueAsync(Clock.AdvanceToNextTimer, "it pauses");
        }

        await processor.CloseAsync();
        Assert.All(errors, e => Assert.Equal(ServiceBusErrorSource.Receive, e.ErrorSource));
    }

    [Fact]
    public async Task Handlers_are_needed_once_each_and_before_the_start()
    {
        await using var processor = Client.CreateProcessor("plain");
        Func<ProcessErrorEventArgs, Task> onError = _ => Task.CompletedTask;
        await Assert.ThrowsAsync<InvalidOperationException>(() => processor.StartProcessingAsync());
        processor.ProcessMessageAsync += _ => Task.CompletedTask;
        Assert.Throws<NotSupportedException>(() => processor.ProcessMessageAsync += _ => Task.CompletedTask);
        await Assert.ThrowsAsync<InvalidOperationException>(() => processor.StartProcessingAsync());
        processor.ProcessErrorAsync += onError;
        processor.ProcessErrorAsync -= onError;
        Assert.Throws<ArgumentException>(() => processor.ProcessErrorAsync -= onError);
        processor.ProcessErrorAsync += onError;
        await processor.StartProcessingAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => processor.StartProcessingAsync());
        Assert.Throws<InvalidOperationException>(() => processor.ProcessErrorAsync -= onError);
        await processor.StopProcessingAsync();
        await processor.StartProcessingAsync();
    }

    [Fact]
    public async Task Sessions_are_handled_side_by_side_and_each_in_order()
    {
        const int sessions = 5, each = 10;
        var orders = new ConcurrentDictionary<string, List<int>>();
        for (var i = 0; i < each; i++)
        {
            await Client.CreateSender("sessions").SendMessagesAsync(
                Enumerable.Range(0, sessions).Select(s => new ServiceBusMessage($"{i}") { SessionId = $"s{s}" }));
        }

        await using var processor = Sessions(new() { MaxConcurrentSessions = sessions }, async args =>
        {
            orders.GetOrAdd(args.SessionId, _ => []).Add(int.Parse(args.Message.Body.ToString(), null));
            await HandledAsync(args.Message);
        });
        await processor.StartProcessingAsync();
        for (var i = 0; i < sessions * each; i++)
        {
            await NextAsync();
        }

        Assert.All(orders.Values, order => Assert.Equal(Enumerable.Range(0, each), order));
        Assert.Empty(errors);
    }

    [Fact]
    public async Task An_idle_session_is_let_go_for_another()
    {
        await SendToAsync("a", "a1");
        await SendToAsync("b", "b1");
        var opened = new ConcurrentQueue<string>();
        var closed = new ConcurrentQueue<string>();
        await using var processor = Sessions(
            new() { MaxConcurrentSessions = 1, SessionIdleTimeout = TimeSpan.FromSeconds(5) },
            args => HandledAsync(args.Message));
        processor.SessionInitializingAsync += args =>
        {
            opened.Enqueue(args.SessionId);
            return args.SetSessionStateAsync(BinaryData.FromString("seen"));
        };
        processor.SessionClosingAsync += args =>
        {
            closed.Enqueue(args.SessionId);
            return Task.CompletedTask;
        };
        await processor.StartProcessingAsync();
        Assert.Equal("a1", await NextAsync());
        Assert.Equal(["a"], opened);
        await AdvanceUntilAsync(() => opened.Count == 2, TimeSpan.FromSeconds(1));
        Assert.Equal("b1", await NextAsync());
        Assert.Equal("a", closed.First());
        await processor.StopProcessingAsync();
        Assert.Equal(["a", "b"], closed);
        Assert.Empty(errors);
    }

    [Fact]
    public async Task A_handler_may_release_its_session()
    {
        await SendToAsync("a", "a1", "a2");
        await SendToAsync("b", "b1");
        await using var processor = Sessions(new() { MaxConcurrentSessions = 1 }, args =>
        {
            args.ReleaseSession();
            return HandledAsync(args.Message);
        });
        await processor.StartProcessingAsync();
        Assert.Equal(["a1", "a2", "b1"], new[] { await NextAsync(), await NextAsync(), await NextAsync() }.Order());
    }

    [Fact]
    public async Task A_session_whose_lock_is_lost_is_reported_and_taken_up_again()
    {
        await SendToAsync("a", "a1");
        await using var processor = Sessions(
            new() { MaxConcurrentSessions = 1, MaxAutoLockRenewalDuration = TimeSpan.Zero }, async args =>
            {
                if (args.Message.DeliveryCount == 1)
                {
                    Clock.Advance(TimeSpan.FromMinutes(2));
                }

                await HandledAsync(args.Message);
            });
        await processor.StartProcessingAsync();
        Assert.Equal(["a1", "a1"], [await NextAsync(), await NextAsync()]);
        await processor.StopProcessingAsync();
        Assert.Equal(
            ServiceBusFailureReason.SessionLockLost,
                Assert.IsType<ServiceBusException>(Assert.Single(errors).Exception).Reason);
    }

    [Fact]
    public async Task Only_named_sessions_are_handled_when_any_are_named()
    {
        await SendToAsync("a", "a1");
        await SendToAsync("b", "b1");
        await using var processor = Sessions(new() { SessionIds = { "b" } }, args => HandledAsync(args.Message));
        await processor.StartProcessingAsync();
        Assert.Equal("b1", await NextAsync());
        await processor.StopProcessingAsync();
        Assert.Equal(["a1"], Bodies(await Client.CreateReceiver("sessions").PeekMessagesAsync(10)));
    }

    ServiceBusProcessor Processor(ServiceBusProcessorOptions options, Func<ProcessMessageEventArgs, Task> handler)
    {
        var processor = Client.CreateProcessor("plain", options);
        processor.ProcessMessageAsync += handler;
        processor.ProcessErrorAsync += OnErrorAsync;
        return processor;
    }

    ServiceBusSessionProcessor Sessions(
        ServiceBusSessionProcessorOptions options, Func<ProcessSessionMessageEventArgs, Task> handler)
    {
        var processor = Client.CreateSessionProcessor("sessions", options);
        processor.ProcessMessageAsync += handler;
        processor.ProcessErrorAsync += OnErrorAsync;
        return processor;
    }

    Task OnErrorAsync(ProcessErrorEventArgs args)
    {
        errors.Enqueue(args);
        return Task.CompletedTask;
    }

    Task HandledAsync(ServiceBusReceivedMessage message) => handled.Writer.WriteAsync(message.Body.ToString()).AsTask();

    Task<string> NextAsync() => handled.Reader.ReadAsync().AsTask().SoonAsync();

    // A step only now and then: what a step sets off must get its turn before the next, or locks run out meanwhile.
    Task AdvanceUntilAsync(Func<bool> condition, TimeSpan step)
    {
        var looks = 0;
        return Eventually.TrueAsync(
            () =>
            {
                if (looks++ % 1_000 == 0) Clock.Advance(step);
                return condition();
            },
            "time brings it about");
    }

    Task SendAsync(params string[] bodies) =>
        Client.CreateSender("plain").SendMessagesAsync(bodies.Select(body => new ServiceBusMessage(body)));

    Task SendToAsync(string session, params string[] bodies) => Client.CreateSender("sessions").SendMessagesAsync(
        bodies.Select(body => new ServiceBusMessage(body) { SessionId = session }));
}
