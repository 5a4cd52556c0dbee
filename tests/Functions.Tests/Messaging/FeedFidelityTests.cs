using System.Text.Json;
using EventSourcing;
using Functions.EventStore;
using Functions.Projections;
using Newtonsoft.Json.Linq;
using Formatting = Newtonsoft.Json.Formatting;

namespace Functions.Tests.Messaging;

/// <summary>
/// On Azure a batch of the change feed does not come as it is stored: the host reads each document with
/// Newtonsoft.Json, which takes a text for a date when it looks like one, and writes all of them anew.
/// </summary>
public sealed class FeedFidelityTests
{
    public static TheoryData<string> Stored { get; } =
        [.. StoredSamples.All.Concat(StoredSamples.Untold).Select(Json).Distinct()];

    [Theory]
    [MemberData(nameof(Stored))]
    public void An_event_that_the_host_has_written_anew_is_the_same_event(string stored)
    {
        using var anew = JsonDocument.Parse(ThroughTheHost($"[{stored}]"));
        var read = Assert.Single(Changes.Sort(anew.RootElement.EnumerateArray()).Events);
        Assert.Equal(stored, Json(read), ignoreCase: false);
    }

    [Fact]
    public void The_hosts_dates_keep_the_last_tick()
    {
        var sample = StoredSamples.All[0] with
        {
            Timestamp = new DateTimeOffset(2030, 1, 31, 23, 59, 59, TimeSpan.Zero).AddTicks(1_234_567),
        };
        using var anew = JsonDocument.Parse(ThroughTheHost($"[{Json(sample)}]"));
        Assert.Equal(sample.Timestamp, Assert.Single(Changes.Sort(anew.RootElement.EnumerateArray()).Events).Timestamp);
    }

    static string Json(StoredEvent stored) => JsonSerializer.Serialize(stored, StoredJson.Options);

    /// <summary>What the trigger does between the feed and the worker.</summary>
    static string ThroughTheHost(string batch) =>
        JArray.FromObject(JArray.Parse(batch).ToObject<List<JObject>>()!).ToString(Formatting.None);
}
