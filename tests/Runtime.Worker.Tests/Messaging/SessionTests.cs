namespace Runtime.Worker.Tests;

public sealed class SessionTests : BrokerHost
{
    [Fact]
    public async Task A_session_is_handled_in_order_while_others_go_on()
    {
        await using var host = await StartAsync<SessionFunctions>();
        await SendAsync("sessions", "x:wait", "x:2", "y:1", "x:3", "y:2");
        await Probe.Until(diary => diary.Contains("end y:2 after '1'") && diary.Contains("begin x:wait"));
        Assert.DoesNotContain("begin x:2", Probe.Diary);

        Probe.Open("x:wait");
        await Probe.Until(diary => diary.Contains("end x:3 after 't2'"));
        Assert.Equal(
            [
                "begin x:wait", "end x:wait after ''", "begin x:2", "end x:2 after 't'", "begin x:3",
                "end x:3 after 't2'",
            ],
            Probe.Diary.Where(line => line.Contains("x:", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_released_session_makes_room_for_the_next()
    {
        await using var host = await StartAsync<SessionFunctions>("""
            { "version": "2.0", "extensions": { "serviceBus": { "maxConcurrentSessions": 1 } } }
            """);
        await SendAsync("sessions", "x:last");
        await SendAsync("sessions", "y:last");
        await SendAsync("sessions", "z:last");

        await Probe.Until(diary => diary.Count == 6);
    }

    [Fact]
    public async Task An_idle_session_is_let_go_after_the_time_in_host_json()
    {
        await using var host = await StartAsync<SessionFunctions>("""
            {
              "version": "2.0",
              "extensions": {
                "serviceBus": { "maxConcurrentSessions": 1, "sessionIdleTimeout": "00:00:00.020" }
              }
            }
            """);
        await SendAsync("sessions", "x:1");
        await SendAsync("sessions", "y:1");

        await Probe.Until(diary => diary.Count == 4);
    }

    [Fact]
    public async Task A_batch_is_of_one_session_and_what_was_settled_is_not_settled_again()
    {
        await SendAsync("session-batch", "x:1", "y:1", "x:2", "y:2");
        await using var host = await StartAsync<SessionFunctions>();
        await Probe.Until(diary => diary.Count == 2);
        await Broker.WhenIdleAsync();

        Assert.Equal(["batch x:1 x:2", "batch y:1 y:2"], Probe.Diary.Order(StringComparer.Ordinal));
        Assert.DoesNotContain(Log.Lines, line => line.Exception is not null);
    }
}
