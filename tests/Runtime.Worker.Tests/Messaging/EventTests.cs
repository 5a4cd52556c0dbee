using Azure.Messaging.EventHubs;
using Azure.Messaging.EventHubs.Producer;
using Microsoft.Extensions.Logging;

namespace Runtime.Worker.Tests;

public sealed class EventTests : BrokerHost
{
    [Fact]
    public async Task Batches_come_in_order_and_the_checkpoint_follows_the_function()
    {
        await ClickAsync("0", "a", "b");
        await using (var host = await StartAsync<ClickFunctions>())
        {
            await Broker.WhenIdleAsync();
        }

        await ReopenAsync();
        await ClickAsync("0", "c");
        await using var next = await StartAsync<ClickFunctions>();
        await Broker.WhenIdleAsync();

        Assert.Equal(["clicks a b #0", "clicks c #0"], Of("clicks"));
        Assert.Equal(["single a", "single b", "single c"], Of("single"));
    }

    [Fact]
    public async Task Partitions_are_read_side_by_side()
    {
        await using var host = await StartAsync<ClickFunctions>();
        await ClickAsync("0", "wait");
        await Probe.Until(diary => diary.Contains("clicks wait #0"));
        await ClickAsync("0", "behind");
        await ClickAsync("1", "beside");
        await Probe.Until(diary => diary.Contains("clicks beside #0"));
        Assert.DoesNotContain("clicks behind #0", Probe.Diary);

        Probe.Open("click");
        await Probe.Until(diary => diary.Contains("clicks behind #0"));
    }

    [Fact]
    public async Task A_batch_is_no_larger_than_host_json_says()
    {
        await ClickAsync("0", "a", "b", "c");
        await using var host = await StartAsync<ClickFunctions>("""
            { "version": "2.0", "extensions": { "eventHubs": { "maxEventBatchSize": 2 } } }
            """);
        await Broker.WhenIdleAsync();

        Assert.Equal(["clicks a b #0", "clicks c #0"], Of("clicks"));
    }

    [Fact]
    public async Task A_failing_batch_is_repeated_as_its_attribute_says_and_then_left_behind_with_an_error()
    {
        await using var host = await StartAsync<ClickFunctions>();
        await ClickAsync("0", "stumble");
        await Probe.Until(diary => diary.Contains("clicks stumble #1"));
        await ClickAsync("0", "poison");
        await Probe.Until(diary => diary.Contains("clicks poison #2"));
        await ClickAsync("0", "next");
        await Broker.WhenIdleAsync();

        Assert.Equal(
            [
                "clicks stumble #0", "clicks stumble #1", "clicks poison #0", "clicks poison #1", "clicks poison #2",
                "clicks next #0",
            ],
            Of("clicks"));
        Assert.Single(Log.Lines, line => line.Level is LogLevel.Error && line.Category == "Host.Triggers.EventHubs");
    }

    [Fact]
    public async Task A_batch_that_a_crash_cut_off_comes_again()
    {
        var host = await StartAsync<ClickFunctions>();
        await ClickAsync("0", "wait");
        await Probe.Until(diary => diary.Contains("clicks wait #0"));

        // The broker goes first, as in a crash: no checkpoint can be written any more.
        await ReopenAsync();
        Probe.Open("click");
        await host.DisposeAsync();

        await using var next = await StartAsync<ClickFunctions>();
        await Broker.WhenIdleAsync();
        Assert.Equal(["clicks wait #0", "clicks wait #0"], Of("clicks"));
    }

    [Fact]
    public async Task A_batch_that_stopping_cuts_off_comes_again()
    {
        var host = await StartAsync<ClickFunctions>();
        await ClickAsync("0", "wait");
        await Probe.Until(diary => diary.Contains("clicks wait #0"));
        var stopping = host.StopAsync();
        Assert.False(stopping.IsCompleted);
        Probe.Open("click");
        await stopping;
        await host.DisposeAsync();

        await using var next = await StartAsync<ClickFunctions>();
        await Broker.WhenIdleAsync();
        Assert.Equal(["clicks wait #0"], Of("clicks"));
    }

    [Fact]
    public async Task A_new_group_may_begin_at_the_end()
    {
        await ClickAsync("0", "old");
        await using var host = await StartAsync<ClickFunctions>("""
            {
              "version": "2.0",
              "extensions": { "eventHubs": { "initialOffsetOptions": { "type": "fromEnd" } } }
            }
            """);
        await ClickAsync("0", "new");
        await Broker.WhenIdleAsync();

        Assert.Equal(["clicks new #0"], Of("clicks"));
    }

    IEnumerable<string> Of(string function) =>
        Probe.Diary.Where(line => line.StartsWith(function, StringComparison.Ordinal));

    Task ClickAsync(string partition, params string[] bodies) => Broker.CreateEventHubProducer("clicks").SendAsync(
        bodies.Select(body => new EventData(body)), new SendEventOptions { PartitionId = partition });
}
