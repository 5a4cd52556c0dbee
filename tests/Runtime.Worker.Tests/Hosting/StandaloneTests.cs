using Azure.Messaging.ServiceBus;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Runtime.Worker.Tests;

public sealed class StandaloneTests
{
    readonly string folder = Directory.CreateTempSubdirectory("standalone").FullName;

    [Fact]
    public void The_environment_wins_over_the_file_and_arguments_win_over_both()
    {
        Write("local.settings.json", """
            { "IsEncrypted": false, "Values": { "A": "file", "B": "file", "C": "file", "Local:DurableFile": "x" } }
            """);

        var options = Options([new("B", "environment"), new("C", "environment")], "--C=argument", "ignored");

        Assert.Equal(
            ("file", "environment", "argument"), (options.Settings["a"], options.Settings["b"], options.Settings["c"]));
        Assert.Equal(new("http://127.0.0.1:7071"), options.Listen);
        Assert.Null(options.HostJson);
    }

    [Fact]
    public void Without_a_file_the_environment_is_enough()
    {
        var options = Options([new("FUNCTIONS_URLS", "http://127.0.0.1:0"), new("Local:DurableFile", File("d.db"))]);

        Assert.Equal(new("http://127.0.0.1:0"), options.Listen);
        Assert.Equal(File("d.db"), options.DurableFile);
    }

    [Fact]
    public void An_address_that_is_none_is_refused() => Assert.Contains(
        "FUNCTIONS_URLS is 'seven'",
        Assert.Throws<FunctionsRefusedException>(
            () => Options([new("FUNCTIONS_URLS", "seven"), new("Local:DurableFile", File("d.db"))])).Message,
        StringComparison.Ordinal);

    [Fact]
    public async Task An_application_runs_by_itself_and_says_where()
    {
        var log = new TestLog();
        Write("host.json", """{ "version": "2.0", "logging": { "logLevel": { "default": "None" } } }""");
        Write("local.settings.json", $$"""
            { "Values": { "FUNCTIONS_URLS": "http://127.0.0.1:0", "Local:DurableFile": "{{File("local/d.db")}}" } }
            """);
        var options = Options([]) with { Classes = type => type == typeof(TraceFunctions) };
        var builder = new FunctionsApplicationBuilder(options.WithLog(log), standalone: true);
        builder.ConfigureFunctionsWebApplication();

        using var app = builder.Build();
        await app.StartAsync();
        var address = FunctionsHost.ListeningAddress(app);
        using var client = new HttpClient();
        var answer = await client.GetStringAsync(new Uri(address, "/api/Trace"));
        await app.StopAsync();

        Assert.StartsWith("00-", answer, StringComparison.Ordinal);
        var line = Assert.Single(log.Lines, line => line.Level is LogLevel.Information);
        Assert.Equal($"Trace: [httpTrigger] * {address}api/Trace", line.Text);
        Assert.True(System.IO.File.Exists(File("local/d.db")));
    }

    [Fact]
    public void An_application_can_be_built_once()
    {
        var options = TestHost.Options(typeof(TraceFunctions));
        var builder = new FunctionsApplicationBuilder(options, standalone: false);
        builder.ConfigureFunctionsWebApplication().ConfigureFunctionsWebApplication();

        using var app = builder.Build();

        Assert.Throws<InvalidOperationException>(builder.Build);
        Assert.Throws<InvalidOperationException>(() => builder.Use(next => next));
    }

    [Fact]
    public async Task A_topology_beside_the_application_opens_a_broker_that_its_clients_find()
    {
        Directory.CreateDirectory(File("topology"));
        Write("topology/messaging.json", """{ "serviceBus": { "queues": [{ "name": "plain" }] } }""");
        Write("local.settings.json", $$"""
            {
              "Values": {
                "FUNCTIONS_URLS": "http://127.0.0.1:0", "Local:DurableFile": "{{File("local/d.db")}}",
                "Local:MessagingFile": "{{File("local/m.db")}}", "Queue": "plain"
              }
            }
            """);
        var probe = new Probe();
        var options = Options([]) with { Classes = type => type == typeof(PlainFunctions) };
        var builder = new FunctionsApplicationBuilder(options, standalone: true);
        builder.ConfigureFunctionsWebApplication().Services.AddSingleton(probe);

        using var app = builder.Build();
        await app.StartAsync();
        await using var client = new ServiceBusClient(
            "Endpoint=sb://localhost;SharedAccessKeyName=a;SharedAccessKey=b;UseDevelopmentEmulator=true;");
        await client.CreateSender("plain").SendMessageAsync(new("hello"));
        await probe.Until(diary => diary.Contains("hello 1 1"));
        await app.StopAsync();
    }

    FunctionsHostOptions Options(KeyValuePair<string, string>[] environment, params string[] args) =>
        Standalone.Options(typeof(TestHost).Assembly, [folder], environment, args);

    string File(string name) => Path.Combine(folder, name);

    void Write(string name, string text) => System.IO.File.WriteAllText(File(name), text);
}
