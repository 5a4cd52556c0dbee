#:project ../../runtime/Local/Runtime.Local.csproj
#:package Azure.Identity
#:property PublishAot=false
#:property RestorePackagesWithLockFile=false
#:property NoWarn=$(NoWarn);NU1603

// Writes the sample catalogue into a deployed environment, over HTTP like any client.
//   azd env set SEED true       from then on every azd up and azd deploy ends with it
// The function keys are read as whoever azd is logged in as, unless FUNCTION_KEY is one. Repeating it changes nothing.

using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Azure.Core;
using Azure.Identity;
using Runtime.Local;

using var management = new HttpClient { BaseAddress = new("https://management.azure.com") };
var commands = (Url: new Uri(Output("SERVICE_COMMAND_URL")), Key: await KeyOfAsync(Output("SERVICE_COMMAND_NAME")));
var queries = (Url: new Uri(Output("SERVICE_QUERY_URL")), Key: await KeyOfAsync(Output("SERVICE_QUERY_NAME")));
using var http = new HttpClient(new ByMethod(commands, queries)) { BaseAddress = commands.Url };
var api = new Api(http);

// The first request finds a new app asleep and its roles perhaps not known everywhere yet.
var until = TimeProvider.System.GetUtcNow() + TimeSpan.FromMinutes(10);
while (!(await api.GetAsync("/api/health", CancellationToken.None)).IsSuccess)
{
    if (TimeProvider.System.GetUtcNow() > until) throw new TimeoutException($"{queries.Url} does not become healthy.");
    await Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System);
}

var written = await Catalogue.SeedAsync(api, CancellationToken.None);
Console.WriteLine(written ? "The sample catalogue is written." : "The sample catalogue was there already.");

static string Output(string name) => Environment.GetEnvironmentVariable(name)
    ?? throw new InvalidOperationException($"{name} is not set: run this by azd, or after `azd env get-values`.");

async Task<string> KeyOfAsync(string app)
{
    if (Environment.GetEnvironmentVariable("FUNCTION_KEY") is { Length: > 0 } given) return given;
    var token = await new AzureDeveloperCliCredential().GetTokenAsync(
        new TokenRequestContext(["https://management.azure.com/.default"]), CancellationToken.None);
    management.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.Token);
    using var answer = await management.PostAsync(
        new Uri(
            $"/subscriptions/{Output("AZURE_SUBSCRIPTION_ID")}/resourceGroups/{Output("AZURE_RESOURCE_GROUP")}"
            + $"/providers/Microsoft.Web/sites/{app}/host/default/listkeys?api-version=2024-04-01",
            UriKind.Relative),
        content: null);
    answer.EnsureSuccessStatusCode();
    var keys = await answer.Content.ReadFromJsonAsync<JsonElement>();
    return keys.GetProperty("functionKeys").GetProperty("default").GetString()!;
}

/// <summary>Services apart have an address and a key each: questions go to one, everything else to the other.</summary>
sealed class ByMethod((Uri Url, string Key) commands, (Uri Url, string Key) queries)
    : DelegatingHandler(new HttpClientHandler())
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        var (url, key) = request.Method == HttpMethod.Get ? queries : commands;
        request.RequestUri = new(url, request.RequestUri!.PathAndQuery);
        request.Headers.Add("x-functions-key", key);
        return base.SendAsync(request, cancellation);
    }
}
