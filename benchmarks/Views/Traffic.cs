using System.Globalization;
using System.Net;
using Runtime.Local;

namespace Benchmarks.Views;

/// <summary>
/// People who reprice products, always upwards, and people who look at them and remember what they saw.
/// </summary>
sealed class Traffic(Api api, int products)
{
    const int Readers = 2;

    long writes;
    long reads;
    long failed;
    long wrong;

    public long Writes => writes;

    public long Reads => reads;

    /// <summary>Answers that were no answer.</summary>
    public long Failed => failed;

    /// <summary>Answers older than one given before.</summary>
    public long Wrong => wrong;

    public static string NameOf(int product) => $"thing-{product.ToString("D6", CultureInfo.InvariantCulture)}";

    public async Task RunAsync(int writesPerSecond, CancellationToken stop) =>
        await Task.WhenAll(Enumerable.Range(0, Readers).Select(i => ReadAsync(new(i), stop)).Append(
            WriteAsync(writesPerSecond, stop)));

    async Task WriteAsync(int perSecond, CancellationToken stop)
    {
        using var beat = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / perSecond), TimeProvider.System);
        var random = new Random(1);
        var under = new List<Task>();
        try
        {
            for (var price = 100; await beat.WaitForNextTickAsync(stop); price++)
            {
                under.RemoveAll(task => task.IsCompletedSuccessfully);
                under.Add(PutAsync(random.Next(products), price));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(under);
        }
    }

    async Task PutAsync(int product, int price)
    {
        var answer = await api.PutAsync(
            $"/api/products/{NameOf(product)}",
            new { name = "Thing", category = "things", price = new { minorUnits = price, currency = "EUR" } },
            CancellationToken.None);
        if (!answer.IsSuccess) Interlocked.Increment(ref failed);
        Interlocked.Increment(ref writes);
    }

    async Task ReadAsync(Random random, CancellationToken stop)
    {
        var seen = new Dictionary<int, long>();
        var few = Math.Min(products, 50);
        while (!stop.IsCancellationRequested)
        {
            var product = random.Next(few);
            var answer = await api.GetAsync($"/api/products/{NameOf(product)}", CancellationToken.None);
            Interlocked.Increment(ref reads);
            if (answer.Status != HttpStatusCode.OK)
            {
                Interlocked.Increment(ref failed);
                continue;
            }

            var price = answer.Body.GetProperty("price").GetProperty("minorUnits").GetInt64();
            if (price < seen.GetValueOrDefault(product)) Interlocked.Increment(ref wrong);
            seen[product] = price;
        }
    }
}
