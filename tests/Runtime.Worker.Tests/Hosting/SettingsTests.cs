using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Runtime.Worker.Tests;

public sealed class SettingFunctions(IConfiguration configuration, ILogger<SettingFunctions> logger)
{
    [Function("Read")]
    public IResult Read(
        [HttpTrigger(AuthorizationLevel.Anonymous, Route = "settings/{name}")] HttpRequest request, string name)
    {
        logger.LogInformation("reading {Name}", name);
        return TypedResults.Text(configuration[name] ?? "");
    }
}

public sealed class SettingsTests
{
    readonly TestLog log = new();

    [Fact]
    public async Task Settings_reach_the_application_as_they_do_on_azure()
    {
        await using var host = await FunctionsHost.StartAsync(
            TestHost.Options(typeof(SettingFunctions)).With(("Plain", "one"), ("Deep__Name", "two")));
        using var client = host.Client();

        Assert.Equal("one", await client.GetStringAsync(new Uri("/api/settings/Plain", UriKind.Relative)));
        Assert.Equal("two", await client.GetStringAsync(new Uri("/api/settings/Deep:Name", UriKind.Relative)));
    }

    [Theory]
    [InlineData("AzureWebJobs.Read.Disabled", "true", true)]
    [InlineData("AzureWebJobs__Read__Disabled", "1", true)]
    [InlineData("AzureWebJobs.Read.Disabled", "false", false)]
    public async Task A_function_can_be_disabled_by_a_setting(string setting, string value, bool disabled)
    {
        await using var host = await FunctionsHost.StartAsync(
            TestHost.Options(typeof(SettingFunctions)).With((setting, value)));
        using var client = host.Client();

        using var answer = await client.GetAsync(new Uri("/api/settings/Plain", UriKind.Relative));

        Assert.Equal(disabled ? HttpStatusCode.NotFound : HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(disabled, host.Functions.Single().Disabled);
        Assert.Equal(disabled, host.Functions.Single().ToString() == "Read: [httpTrigger] disabled");
    }

    [Fact]
    public async Task A_disabled_that_is_neither_true_nor_false_is_refused()
    {
        var message = await TestHost.RefusalAsync(
            TestHost.Options(typeof(SettingFunctions)).With(("AzureWebJobs.Read.Disabled", "ture")));

        Assert.Contains("'AzureWebJobs.Read.Disabled' is 'ture'", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Host_json_sets_the_prefix_and_reports_what_it_does_not_know()
    {
        await using var host = await FunctionsHost.StartAsync(TestHost.Options(typeof(SettingFunctions)).WithLog(log)
            .WithHostJson("""
                {
                  "version": "2.0", // comments are allowed
                  "extensionBundle": { "id": "ignored by design" },
                  "wishes": {},
                  "extensions": { "http": { "routePrefix": "v2/x", "hsts": {} }, "queues": {} },
                }
                """));
        using var client = host.Client();

        Assert.Equal("", await client.GetStringAsync(new Uri("/v2/x/settings/Plain", UriKind.Relative)));
        Assert.Equal(
            [
                "host.json: 'extensions.http.hsts' is not acted on here",
                "host.json: 'extensions.queues' is not acted on here",
                "host.json: 'wishes' is not acted on here",
            ],
            log.Lines.Where(line => line.Level is LogLevel.Warning).Select(line => line.Text).Order());
    }

    [Fact]
    public async Task An_empty_prefix_serves_at_the_root()
    {
        await using var host = await FunctionsHost.StartAsync(TestHost.Options(typeof(SettingFunctions))
            .WithHostJson("""{ "version": "2.0", "extensions": { "http": { "routePrefix": "" } } }"""));
        using var client = host.Client();

        Assert.Equal("", await client.GetStringAsync(new Uri("/settings/Plain", UriKind.Relative)));
    }

    [Theory]
    [InlineData("{", "cannot be used")]
    [InlineData("""{ "version": "1.0" }""", "\"version\" must be \"2.0\"")]
    [InlineData("""{ "version": "2.0", "functionTimeout": "soon" }""", "\"functionTimeout\" is 'soon'")]
    [InlineData("""{ "version": "2.0", "logging": { "logLevel": { "default": "Loud" } } }""", "logLevel.default")]
    [InlineData("""{ "version": "2.0", "extensions": { "http": { "maxConcurrentRequests": 0 } } }""", "0 is no bound")]
    [InlineData("""{ "version": "2.0", "extensions": { "http": { "routePrefix": 7 } } }""", "cannot be used")]
    [InlineData(
        """{ "version": "2.0", "extensions": { "durableTask": { "maxConcurrentActivityFunctions": 0 } } }""",
        "maxConcurrentActivityFunctions must be a positive number")]
    [InlineData(
        """{ "version": "2.0", "extensions": { "durableTask": { "versionMatchStrategy": "Newest" } } }""",
        "versionMatchStrategy must be one of")]
    [InlineData(
        """{ "version": "2.0", "extensions": { "durableTask": { "hubName": "%HUB%" } } }""", "needs the setting 'HUB'")]
    public async Task A_host_json_with_mistakes_is_refused(string json, string reason)
    {
        var message = await TestHost.RefusalAsync(TestHost.Options(typeof(SettingFunctions)).WithHostJson(json));

        Assert.Contains(reason, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Information", true)]
    [InlineData("Warning", false)]
    public async Task A_functions_own_log_has_the_level_of_function_and_the_platforms_that_of_default(
        string level, bool heard)
    {
        await using var host = await FunctionsHost.StartAsync(TestHost.Options(typeof(SettingFunctions)).WithLog(log)
            .WithHostJson($$"""
                { "version": "2.0", "logging": { "logLevel": { "default": "Warning", "Function": "{{level}}" } } }
                """));
        using var client = host.Client();

        await client.GetStringAsync(new Uri("/api/settings/Plain", UriKind.Relative));
        await host.StopAsync();

        Assert.Equal(heard, log.Lines.Any(line => line.Text == "reading Plain"));
        Assert.Equal(
            heard,
            log.Lines.Any(line => line.Text.StartsWith("Executed 'Read' (Succeeded", StringComparison.Ordinal)));
        Assert.DoesNotContain(log.Lines, line => line.Category.StartsWith("Microsoft", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_the_embedder_replaces_wins_over_the_application()
    {
        var options = TestHost.Options(typeof(SettingFunctions)) with
        {
            Configure = builder =>
                builder.ConfigureFunctionsWebApplication().Services.AddSingleton<object>("application"),
            Replace = services => services.AddSingleton<object>("embedder"),
        };
        await using var host = await FunctionsHost.StartAsync(options);

        Assert.Equal("embedder", host.Services.GetRequiredService<object>());
    }

    [Fact]
    public async Task Services_that_the_application_starts_are_up_before_and_down_after_the_functions()
    {
        var probe = new Probe();
        var options = TestHost.Options(typeof(EagerFunctions)) with
        {
            Configure = builder => builder.Services
                .AddSingleton(probe).AddSingleton(TimeProvider.System).AddHostedService<Preparation>(),
        };
        await using (var host = await FunctionsHost.StartAsync(options))
        {
            await probe.Until(diary => diary.Count == 2);
        }

        Assert.Equal("prepared", probe.Diary[0]);
        Assert.Equal("cleared", probe.Diary[^1]);
    }

    public sealed class Preparation(Probe probe) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            probe.Write("prepared");
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken)
        {
            probe.Write("cleared");
            return Task.CompletedTask;
        }
    }
}
