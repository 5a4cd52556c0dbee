using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Infra.Tests;

/// <summary>The settings the deployment writes are the settings the code and its hosts read.</summary>
public sealed class AppSettingsTests
{
    /// <summary>Read by the host, the worker or an SDK on their own account, whatever our code does.</summary>
    static readonly string[] ReadByThePlatform =
    [
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        "AZURE_CLIENT_ID",
        "AzureFunctionsJobHost",
        "AzureWebJobsStorage",
        "DurableStorage",
    ];

    /// <summary>Set ahead of the code that reads it. A name goes from this list when its reader comes.</summary>
    static readonly string[] Awaited = [];

    /// <summary>Settings that Flex Consumption ignores or refuses.</summary>
    static readonly string[] Deprecated =
    [
        "ENABLE_ORYX_BUILD", "FUNCTIONS_EXTENSION_VERSION", "FUNCTIONS_WORKER_RUNTIME",
        "SCM_DO_BUILD_DURING_DEPLOYMENT", "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING", "WEBSITE_CONTENTSHARE",
        "WEBSITE_RUN_FROM_PACKAGE", "WEBSITE_TIME_ZONE", "WEBSITE_VNET_ROUTE_ALL",
    ];

    [Fact]
    public void Every_setting_that_is_read_is_set() =>
        Assert.Empty(Unset(Read(SourceCode.App), Deployment.AppSettings.Keys));

    [Fact]
    public void Every_setting_is_read_under_a_constant_name() => Assert.Empty(SourceCode.App.SettingsReadBlindly);

    [Fact]
    public void Every_setting_that_is_set_is_read() => Assert.Empty(
        Unread(Read(SourceCode.App), Deployment.AppSettings.Keys).Except(Awaited));

    [Fact]
    public void Nothing_is_awaited_that_has_come() => Assert.Empty(
        Awaited.Except(Unread(Read(SourceCode.App), Deployment.AppSettings.Keys)));

    [Fact]
    public void Every_connection_names_an_endpoint_and_the_apps_own_identity()
    {
        var connections = Deployment.AppSettings.Keys.Where(k => k.EndsWith("__credential", StringComparison.Ordinal))
            .Select(k => k[..^"__credential".Length]).ToList();
        Assert.NotEmpty(connections);
        foreach (var connection in connections)
        {
            Assert.Equal("managedidentity", Deployment.AppSettings[$"{connection}__credential"]);
            Assert.Equal("identityClientId", Deployment.AppSettings[$"{connection}__clientId"]);
            Assert.Contains(Deployment.AppSettings.Keys, k => k.StartsWith($"{connection}__", StringComparison.Ordinal)
                && Regex.IsMatch(k, "(Uri|Endpoint|Namespace)$"));
        }
    }

    [Fact]
    public void Every_binding_finds_the_endpoint_its_extension_asks_for() => Assert.Empty(
        EndpointsMissing(SourceCode.App, Deployment.AppSettings.Keys));

    [Fact]
    public void Nothing_is_set_that_the_plan_refuses() =>
        Assert.Empty(Deployment.AppSettings.Keys.Intersect(Deprecated));

    [Fact]
    public void A_setting_overrides_only_what_the_host_file_has()
    {
        foreach (var path in Deployment.AppSettings.Keys.Select(key => key.Split("__"))
            .Where(path => path[0] == "AzureFunctionsJobHost"))
        {
            JsonNode? at = JsonNode.Parse(Repository.Read("host.json"));
            foreach (var part in path[1..^1]) at = at?[part];
            Assert.True(at is JsonObject, $"host.json has no place for {string.Join("__", path)}");
        }
    }

    [Fact]
    public void The_rule_sees_a_setting_that_is_read_but_not_set()
    {
        var code = Code("""
            class Clock(IConfiguration configuration)
            {
                const string Zone = "Clock:Zone";
                string zone = configuration[Zone];
                int skew = configuration.GetValue<int>($"Clock:{nameof(skew)}");
                string home = Environment.GetEnvironmentVariable("CLOCK_HOME");
                [Function(nameof(Tick))] void Tick([TimerTrigger("%TICK_SCHEDULE%")] object timer) { }
            }
            """);
        Assert.Equal(
            ["CLOCK_HOME", "Clock__Zone", "Clock__skew", "TICK_SCHEDULE"],
            Unset([.. code.SettingsRead, .. Expressions(code)], []).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_rule_sees_a_setting_that_is_set_but_never_read()
    {
        var code = Code("""class Store(IConfiguration settings) { string at = settings["Cosmos:accountEndpoint"]; }""");
        Assert.Equal(
            ["Orphan"],
            Unread(code.SettingsRead, ["Cosmos__accountEndpoint", "Cosmos__clientId", "Orphan__key"]));
    }

    [Fact]
    public void The_rule_sees_a_binding_without_its_endpoint()
    {
        var code = Code("""
            class F
            {
                [Function("A")] void A([CosmosDBTrigger("orders", "events", Connection = "Cosmos")] object changes) { }
                [Function("B")] void B([ServiceBusTrigger("order-events", "payments")] object message) { }
            }
            """);
        Assert.Equal(
            ["A: Cosmos__accountEndpoint is not set", "B: ServiceBusTrigger names no connection"],
            EndpointsMissing(code, ["Cosmos__fullyQualifiedNamespace"]));
    }

    static SourceCode Code(string text) => new([("F.cs", text)]);

    static List<Use> Read(SourceCode code) => [.. code.SettingsRead, .. Expressions(code), .. HostFile()];

    static IEnumerable<string> Unset(IEnumerable<Use> read, IEnumerable<string> set) => read
        .Select(u => u.Name).Distinct()
        .Where(name => !set.Any(s => Same(s, name) || s.StartsWith($"{name}__", StringComparison.OrdinalIgnoreCase)));

    /// <summary>Settings nobody reads, by group: whoever reads one part of a connection reads all of it.</summary>
    static IEnumerable<string> Unread(IEnumerable<Use> read, IEnumerable<string> set)
    {
        var groups = read.Select(u => Group(u.Name)).Concat(ReadByThePlatform);
        return set.Select(Group).Distinct().Except(groups, StringComparer.OrdinalIgnoreCase);
    }

    static IEnumerable<string> EndpointsMissing(SourceCode code, IEnumerable<string> set)
    {
        foreach (var function in code.Functions)
        {
            foreach (var binding in function.Bindings)
            {
                var kind = BindingKinds.ByAttribute.GetValueOrDefault(binding.Attribute);
                if (kind?.EndpointSetting is not { } endpoint) continue;
                if (binding["Connection"] is not { } connection)
                    yield return $"{function.Name}: {binding.Attribute} names no connection";
                else if (!set.Contains($"{connection}__{endpoint}"))
                    yield return $"{function.Name}: {connection}__{endpoint} is not set";
            }
        }
    }

    /// <summary>Settings named between percent signs in a binding.</summary>
    static IEnumerable<Use> Expressions(SourceCode code) => code.Attributes
        .SelectMany(b => b.Arguments.Concat(b.Named.Values).OfType<string>()
            .SelectMany(text => Regex.Matches(text, "%([^%]+)%").Select(m => new Use(m.Groups[1].Value, b.Where))));

    static IEnumerable<Use> HostFile()
    {
        var text = Repository.Read("host.json");
        return Regex.Matches(text, "%([^%\"]+)%|\"connection(?:String)?Name\"\\s*:\\s*\"([^\"]+)\"")
            .Select(m => new Use(m.Groups[1].Value + m.Groups[2].Value, "host.json"));
    }

    static string Group(string setting) => setting.Split("__")[0];

    static bool Same(string a, string b) => a.Equals(b, StringComparison.OrdinalIgnoreCase);
}
