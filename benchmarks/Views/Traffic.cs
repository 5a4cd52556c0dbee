using System.Diagnostics;
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
    const int UnansweredMax = 5_000;

    static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(10);

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

    /// <summary>
    /// As many as are due by now, whoever was answered: a timer alone swallows the ticks for which this was late, and
    /// who waits for answers writes only as fast as they come.
    /// </summary>
    async Task WriteAsync(int perSecond, CancellationToken stop)
    {
        var (random, under, began) = (new Random(1), new Dictionary<int, Task>(), Stopwatch.GetTimestamp());
        var most = Math.Min(UnansweredMax, products / 2);
        try
        {
            for (var sent = 0; ;)
            {
                foreach (var (product, put) in under)
                    if (put.IsCompletedSuccessfully) under.Remove(product);
                for (var due = Stopwatch.GetElapsedTime(began).TotalSeconds * perSecond; sent < due; sent++)
                {
                    if (under.Count > most) throw new InvalidOperationException(
                        $"{under.Count} writes wait for answers: this machine can not take {perSecond} a second.");

                    // Two prices of one product at once might be stored the other way round: then less is not wrong.
                    var product = random.Next(products);
                    while (under.ContainsKey(product)) product = random.Next(products);
                    under.Add(product, PutAsync(product, 100 + sent));
                }

                await Task.Delay(Beat, TimeProvider.System, stop);
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(under.Values);
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
            // A pause, or all that is left of the machine goes into looking.
            await Task.Delay(Beat, TimeProvider.System, CancellationToken.None);
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
