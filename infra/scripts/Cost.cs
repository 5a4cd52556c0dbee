#:project ../../runtime/Local/Runtime.Local.csproj
#:property PublishAot=false
#:property RestorePackagesWithLockFile=false
#:property NoWarn=$(NoWarn);NU1603

// What orders cost in Cosmos DB: places some on the whole system in this process, reads from its ledger what every
// request was charged, and works out throughput, partitions and money for a rate of your own.
//   dotnet run infra/scripts/Cost.cs -- [orders a second] [lines an order] [orders to measure with] [workflow]
// The workflow is orchestration or choreography. The outbox is counted with the rest: its marks, and its reading of
// what the feed lost, are requests like others; its messages are told at the end.
// Charges are those the documentation states, as runtime/Cosmos answers them. Prices are list prices in US dollars;
// set RU_HOUR_PRICE, SERVERLESS_PRICE and GB_MONTH_PRICE to yours.

using System.Globalization;
using System.Text.Json;
using EventSourcing;
using Functions.Messaging;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Runtime.Cosmos;
using Runtime.Local;
using static Runtime.Local.ApiAnswer;

const int Products = 20;
const int SecondsAMonth = 730 * 3600;
const int PartitionRequestUnits = 10_000;
const double PartitionGigabytes = 50;
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;

var rate = Argument(0, 10);
var lines = (int)Argument(1, 2);
var sample = (int)Argument(2, 50);
var workflow = args.Length > 3 ? args[3] : "orchestration";
var autoscalePrice = Price("RU_HOUR_PRICE", 0.012);
var serverlessPrice = Price("SERVERLESS_PRICE", 0.25);
var gigabytePrice = Price("GB_MONTH_PRICE", 0.25);

await using var system = await LocalSystem.StartAsync(
    new() { Logging = logging => logging.SetMinimumLevel(LogLevel.Error) }, CancellationToken.None);
using var http = system.CreateHttpClient();
var api = new Api(http);
await Catalogue.SeedAsync(api, CancellationToken.None);
for (var i = 0; i < Products; i++)
{
    var price = new { minorUnits = 10_00, currency = "EUR" };
    Demand(await api.PutAsync(
        $"/api/products/sample-{i}", new { name = $"Sample {i}", category = "sample", price }, CancellationToken.None));
    Demand(await api.PostAsync(
        $"/api/products/sample-{i}/stock", new { quantity = sample * lines }, "sample", CancellationToken.None));
}

// The first order warms what a running instance has warm: prices, the customer, the containers' metadata.
await PlaceAsync(-1);
await QuietAsync();
var toldBefore = await ToldAsync();
var before = system.Cosmos.Ledger.Snapshot();
for (var i = 0; i < sample; i++) await PlaceAsync(i);
await QuietAsync();
var charged = system.Cosmos.Ledger.Snapshot() - before;
var messages = (await ToldAsync() - toldBefore) / (double)sample;

var costs = Work(charged).GroupBy(l => l.Key.Container!, l => l.Value)
    .Select(g => (
        Container: g.Key, Requests: g.Sum(t => t.Requests) / (double)sample, Charge: g.Sum(t => t.Charge) / sample))
    .OrderByDescending(c => c.Charge).ToList();
var perOrder = costs.Sum(c => c.Charge);
var bytes = 0L;
for (var i = 0; i < sample; i++) bytes += await BytesAsync(i);
var gigabytes = bytes / (double)sample * rate * SecondsAMonth / 1e9;

Console.WriteLine(
    $"Measured on {sample} confirmed orders of {lines} lines by {workflow}, for {rate} orders a second\n");
Row("container", "requests/order", "RU/order", "RU/s", "partitions", "throughputMax");
var billed = 0.0;
foreach (var (container, requests, charge) in costs)
{
    // Autoscale is billed for the highest second of each hour, and never for less than a tenth of the maximum.
    var needed = charge * rate;
    var maximum = Math.Max(1000, Math.Ceiling(needed * 1.5 / 1000) * 1000);
    billed += Math.Max(needed, maximum / 10);
    Row(
        container, $"{requests:0.0}", $"{charge:0.0}", $"{needed:0}",
        $"{Math.Ceiling(needed / PartitionRequestUnits)}", $"{maximum}");
}

var autoscale = billed / 100 * autoscalePrice * 730;
var serverless = perOrder * rate * SecondsAMonth / 1e6 * serverlessPrice;
var millions = rate * SecondsAMonth / 1e6;
var storage = gigabytes * gigabytePrice;
Row("all", $"{costs.Sum(c => c.Requests):0.0}", $"{perOrder:0.0}", $"{perOrder * rate:0}", "", "");
var kilobytes = bytes / (double)sample / 1000;
var yearly = Math.Ceiling(gigabytes * 12 / PartitionGigabytes);
Console.WriteLine($"""

    {millions:0.00} million orders a month. The events of one are {kilobytes:0.0} kB: {gigabytes:0.0} GB a month,
    and after a year {yearly} partitions of {PartitionGigabytes} GB, whatever the throughput.
    Of each the outbox tells the topic and the hub {messages:0.0} messages: {messages * rate:0} a second to each.

    US dollars             autoscale   serverless   storage, for every month it is kept
    a month at that rate   {autoscale,9:0.00}   {serverless,10:0.00}   {storage,7:0.00}
    a million orders       {autoscale / millions,9:0.00}   {serverless / millions,10:0.00}   {storage / millions,7:0.00}
    """);

static void Row(string container, string requests, string charge, string rate, string partitions, string maximum) =>
    Console.WriteLine($"{container,-16}{requests,16}{charge,10}{rate,10}{partitions,12}{maximum,15}");

async Task PlaceAsync(int number)
{
    var wanted = Enumerable.Range(0, lines).Select(line => (Product(number, line), 1)).ToArray();
    var body = JsonSerializer.SerializeToNode(
        Catalogue.Order("4242 4242 4242 4242", Catalogue.Address(), wanted), StoredJson.Options)!.AsObject();
    body["workflow"] = workflow;
    Demand(await api.PutAsync($"/api/orders/{Order(number)}", body, CancellationToken.None));
}

// Done is when the store has rested for two seconds: asking over HTTP would be charged to the orders.
async Task QuietAsync()
{
    var (seen, rests) = (-1L, 0);
    while (rests < 10)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
        var now = Work(system.Cosmos.Ledger.Snapshot()).Sum(l => l.Value.Requests);
        (seen, rests) = (now, now == seen ? rests + 1 : 0);
    }
}

// A look at an idle feed is not the order's: what it costs depends on how often one looks, not on how much is sold.
static IEnumerable<KeyValuePair<CosmosLedgerLine, CosmosTally>> Work(CosmosLedgerSnapshot charged) => charged.Lines
    .Where(l => l.Key.Container is not (null or "leases") && l.Key.Status != 304);

// Asked before the ledger is, or after: to read all events is no order's cost.
async Task<long> ToldAsync()
{
    var archive = system.Host.Services.GetRequiredService<IEventArchive>();
    var told = 0L;
    await foreach (var page in archive.ReadAllAsync(null, CancellationToken.None))
        told += page.Events.Count(stored => Integration.Of(stored) is not null);
    return told;
}

async Task<long> BytesAsync(int number)
{
    var own = new[] { $"order-{Order(number)}", $"payment-{Order(number)}", $"shipment-{Order(number)}" };
    var streams = await Task.WhenAll(own.Select(stream => api.EventsAsync(stream, CancellationToken.None)));
    if (!streams[0].Any(e => e.GetProperty("eventType").GetString() == "order-confirmed"))
        throw new InvalidOperationException($"Order {number} was not confirmed.");
    var stock = await api.EventsAsync($"stock-{Product(number, 0)}", CancellationToken.None);
    return streams.Sum(s => s.Sum(Size)) + (stock.TakeLast(2).Sum(Size) * lines);
}

static Guid Order(int number) => new(number, 0, 0, [0x80, 0, 0, 0, 0, 0, 0, 1]);

static string Product(int number, int line) => $"sample-{(number + 1 + line) % Products}";

static long Size(JsonElement stored) => stored.GetRawText().Length;

double Argument(int index, double otherwise) =>
    index < args.Length ? double.Parse(args[index], CultureInfo.InvariantCulture) : otherwise;

static double Price(string name, double otherwise) =>
    Environment.GetEnvironmentVariable(name) is { Length: > 0 } given
        ? double.Parse(given, CultureInfo.InvariantCulture)
        : otherwise;
