using Runtime.Local;

namespace Functions.Tests;

public sealed partial class CrashTests
{
    const int Requests = 40;
    const int EventsEach = 5;

    [Fact]
    public async Task Killed_while_activity_comes_in_and_sent_again_every_event_is_logged_and_counted_once()
    {
        var folder = Directory.CreateTempSubdirectory("activity-").FullName;
        try
        {
            var bodies = Enumerable.Range(0, Requests).Select(_ => Views()).ToArray();
            using (var first = await ServedAsync(folder))
            {
                var answered = 0;
                var enough = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                var sending = bodies.Select(async body =>
                {
                    await first.Api.PostAsync("/api/activity", body, null, default);
                    if (Interlocked.Increment(ref answered) == Requests / 2) enough.SetResult();
                }).ToArray();
                await enough.Task;
                first.Kill();

                // Whether the others were taken, their clients do not know: their connections broke.
                await Task.WhenAll(sending).ContinueWith(
                    _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously,
                    TaskScheduler.Default);
            }

            using var second = await ServedAsync(folder);
            foreach (var body in bodies)
            {
                var answer = await second.Api.PostAsync("/api/activity", body, null, default);
                Assert.Equal(202, (int)answer.Status);
            }

            var trend = await RunningSystem.EventuallyAsync(() => ScoreAsync(second.Api), score =>
                score >= Requests * EventsEach);
            Assert.Equal(Requests * EventsEach, trend);
            Assert.Equal(Requests * EventsEach, await RunningSystem.EventuallyAsync(
                () => LoggedAsync(second.Api), logged => logged >= Requests * EventsEach));
            second.Kill();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static object Views() => new
    {
        userId = Catalogue.Customer,
        events = Enumerable.Range(0, EventsEach).Select(_ => new
        {
            id = Guid.NewGuid(), action = "viewed", productId = "blue-mug", at = TimeProvider.System.GetUtcNow(),
        }).ToArray(),
    };

    static async Task<int> ScoreAsync(Api api) =>
        (await api.GetAsync("/api/trending?minutes=120", default)).Body.GetProperty("products").EnumerateArray()
        .Where(row => row.GetProperty("product").GetString() == "blue-mug")
        .Sum(row => row.GetProperty("score").GetInt32());

    static async Task<int> LoggedAsync(Api api)
    {
        var ids = new HashSet<string>();
        var rows = 0;
        string? place = null;
        do
        {
            var page = await api.GetAsync(
                $"/api/customers/{Catalogue.Customer}/activity?limit=100"
                    + (place is null ? "" : $"&continuation={Uri.EscapeDataString(place)}"),
                default);
            foreach (var row in page.Body.GetProperty("activity").EnumerateArray())
            {
                rows++;
                ids.Add(row.GetProperty("id").GetString()!);
            }

            place = page.Text("continuation");
        }
        while (place is not null);

        Assert.Equal(ids.Count, rows);
        return rows;
    }
}
