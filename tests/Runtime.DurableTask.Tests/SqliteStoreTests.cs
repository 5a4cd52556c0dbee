namespace Runtime.DurableTask.Tests;

/// <summary>What the store in a file promises beside what every store does.</summary>
public sealed class SqliteStoreTests : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("store-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public async Task It_can_be_closed_while_others_read()
    {
        for (var round = 0; round < 8; round++)
        {
            var store = new SqliteStore(Path.Combine(folder.FullName, $"{round}.db"), survivesPowerLoss: false);
            store.Open();
            var reading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var readers = Enumerable.Range(0, 64).Select(reader => Task.Run(() =>
            {
                for (var i = 0; i < 10; i++) Assert.Null(store.Find("nobody"));
                if (reader == 8) reading.SetResult();
                for (var i = 0; i < 10; i++) Assert.Null(store.Find("nobody"));
            })).ToList();
            await reading.Task;

            await store.DisposeAsync();

            await Task.WhenAll(readers);
        }
    }
}
