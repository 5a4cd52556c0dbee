using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Infra.Tests;

/// <summary>Each function runs in one service, and that service may do what the function's bindings do.</summary>
public sealed class ServicesTests
{
    [Fact]
    public void Every_function_runs_in_exactly_one_service() => Assert.Equal(
        SourceCode.App.Functions.Select(f => f.Name).Order(StringComparer.Ordinal),
        Topology.FunctionServices.Keys.Order(StringComparer.Ordinal));

    [Fact]
    public void Every_function_name_can_be_switched_off_on_linux() =>
        Assert.All(SourceCode.App.Functions, f => Assert.Matches("^[A-Za-z][A-Za-z0-9]*$", f.Name));

    [Fact]
    public void Every_function_may_do_what_its_bindings_do() => Assert.Empty(
        Faults(SourceCode.App, Topology.FunctionServices, name => Topology.ServiceByName[name]));

    [Fact]
    public void Only_known_services_are_named() =>
        Assert.Empty(Topology.FunctionServices.Values.Except(Topology.ServiceByName.Keys));

    [Fact]
    public void One_service_alone_works_on_the_task_hub() => Assert.Single(
        Topology.ServiceByName.Values, s => Topology.Text(s["access"]!["durableTask"]) == "worker");

    [Fact]
    public void Access_is_to_containers_that_exist() => Assert.All(
        Topology.ServiceByName.Values,
        service => Assert.Empty(
            Names(service, "cosmos", "append").Concat(Names(service, "cosmos", "write")).Except(Topology.Containers)));

    [Fact]
    public void Access_is_to_blob_containers_that_exist_and_writing_includes_reading() => Assert.All(
        Topology.ServiceByName.Values.Append(Topology.Services["together"]!).Append(Topology.Services["developer"]!),
        service =>
        {
            var (read, write) = (Names(service, "blobs", "read"), Names(service, "blobs", "write"));
            Assert.Empty(read.Concat(write).Except(Topology.BlobContainers));
            Assert.Empty(read.Intersect(write));
        });

    [Fact]
    public void The_one_app_may_do_what_all_services_together_may()
    {
        var together = Topology.Services["together"]!;
        Assert.Equal(Union("cosmos", "append"), Names(together, "cosmos", "append").Order(StringComparer.Ordinal));
        Assert.Equal(Union("cosmos", "write"), Names(together, "cosmos", "write").Order(StringComparer.Ordinal));
        Assert.Equal(Union("blobs", "write"), Names(together, "blobs", "write").Order(StringComparer.Ordinal));
        Assert.Equal(
            Union("blobs", "read").Except(Union("blobs", "write")),
            Names(together, "blobs", "read").Order(StringComparer.Ordinal));
        Assert.Equal(Union("serviceBus"), Names(together, "serviceBus").Order(StringComparer.Ordinal));
        Assert.Equal(Union("eventHubs"), Names(together, "eventHubs").Order(StringComparer.Ordinal));
        Assert.Equal("worker", Topology.Text(together["access"]!["durableTask"]));
    }

    [Fact]
    public void The_services_are_those_of_azd()
    {
        Assert.Equal(Topology.ServiceByName.Keys.Order(), AzureYaml.Services.Order());
        Assert.Equal(["command"], AzureYaml.Services.Except(AzureYaml.ConditionalServices));
    }

    [Fact]
    public void What_is_kept_warm_exists()
    {
        foreach (var (name, service) in Topology.ServiceByName)
        {
            foreach (var group in Topology.Names(service["scale"]!["alwaysReady"]!.AsArray().Select(a => a!["name"]))
                .Where(g => g.StartsWith("function:", StringComparison.Ordinal)))
                Assert.Equal(name, Topology.FunctionServices.GetValueOrDefault(group["function:".Length..]));
        }
    }

    [Fact]
    public void The_rule_sees_what_a_service_may_not_do()
    {
        var code = new SourceCode([("F.cs", """
            class F
            {
                [Function("Saga")] void Saga([OrchestrationTrigger] object context) { }
                [Function("Start")] void Start([DurableClient] object sagas) { }
                [Function("Feed")] void Feed([CosmosDBTrigger("db", "c", LeaseContainerName = "leases")] object c) { }
                [Function("Hear")] void Hear([ServiceBusTrigger("t", "s")] object message) { }
                [Function("Tell")] [EventHubOutput("activity")] string Tell() => "";
                [Function("Both")] Result Both() => new();
            }
            class Result { [CosmosDBOutput("orders", "view")] public object Row { get; set; } }
            """)]);
        var nothing = JsonNode.Parse("""
            { "access": { "cosmos": { "write": [] }, "serviceBus": [], "eventHubs": [], "durableTask": "none" } }
            """)!;
        Assert.Equal(
            [
                "Saga: query does not work on the task hub",
                "Start: query may not use the task hub",
                "Feed: query may not write leases",
                "Hear: query may not receive from serviceBus",
                "Tell: query may not send to eventHubs",
                "Both: query may not write view",
            ],
            Faults(code, code.Functions.ToDictionary(f => f.Name, _ => "query"), _ => nothing));
    }

    static IEnumerable<string> Faults(
        SourceCode code, IReadOnlyDictionary<string, string> services, Func<string, JsonNode> serviceOf)
    {
        foreach (var function in code.Functions.Where(f => services.ContainsKey(f.Name)))
        {
            var name = services[function.Name];
            foreach (var fault in function.Bindings.SelectMany(b => Faults(b, serviceOf(name))))
                yield return $"{function.Name}: {name} {fault}";
        }
    }

    static IEnumerable<string> Faults(Binding binding, JsonNode service)
    {
        var hub = Topology.Text(service["access"]!["durableTask"]);
        var fault = binding.Attribute switch
        {
            "OrchestrationTrigger" or "ActivityTrigger" or "EntityTrigger" when hub != "worker" =>
                "does not work on the task hub",
            "DurableClient" when hub == "none" => "may not use the task hub",
            "CosmosDBTrigger" => Unwritable(service, binding["LeaseContainerName"] ?? "leases"),
            "CosmosDBOutput" => Unwritable(service, binding.Argument(1) ?? "?"),
            "ServiceBusTrigger" => Without(service, "serviceBus", "receive"),
            "ServiceBusOutput" => Without(service, "serviceBus", "send"),
            "EventHubTrigger" => Without(service, "eventHubs", "receive"),
            "EventHubOutput" => Without(service, "eventHubs", "send"),
            _ => null,
        };
        return fault is null ? [] : [fault];
    }

    static string? Unwritable(JsonNode service, string container) =>
        Names(service, "cosmos", "write").Contains(container) ? null : $"may not write {container}";

    static string? Without(JsonNode service, string broker, string right) => Names(service, broker).Contains(right)
        ? null
        : $"may not {right} {(right == "send" ? "to" : "from")} {broker}";

    static IEnumerable<string> Union(params IReadOnlyList<string> path) => Topology.ServiceByName.Values
        .SelectMany(service => Names(service, path)).Distinct().Order(StringComparer.Ordinal);

    static IReadOnlySet<string> Names(JsonNode service, params IReadOnlyList<string> path) =>
        Topology.Names(path.Aggregate(service["access"]!, (node, part) => node[part]!).AsArray());
}

/// <summary>What azure.yaml says, as far as tests ask.</summary>
static class AzureYaml
{
    static readonly string Text = Repository.Read("azure.yaml");

    public static IReadOnlyList<string> Services { get; } = [.. Blocks().Select(b => b.Name)];

    /// <summary>Services that are deployed only when the environment says so.</summary>
    public static IReadOnlyList<string> ConditionalServices { get; } =
        [.. Blocks().Where(b => b.Text.Contains("condition:", StringComparison.Ordinal)).Select(b => b.Name)];

    public static IReadOnlyList<string> Projects { get; } =
        [.. Regex.Matches(Text, @"^    project: (\S+)", RegexOptions.Multiline)
            .Select(m => m.Groups[1].Value).Distinct()];

    public static IReadOnlyList<string> PipelineVariables { get; } =
        [.. Regex.Matches(Text, @"^    - (\w+)", RegexOptions.Multiline).Select(m => m.Groups[1].Value)];

    /// <summary>Environment variables the file itself expands, or its hooks read.</summary>
    public static IReadOnlyList<string> Expanded { get; } =
    [
        .. Regex.Matches(Regex.Replace(Text, "(?m)^ *#.*$", ""), @"\$(?:\{|env:)?(\w+)")
            .Select(m => m.Groups[1].Value).Distinct(),
    ];

    static IEnumerable<(string Name, string Text)> Blocks()
    {
        var services = Regex.Match(Text, @"^services:\n((?:(?: .*|#.*)?\n)+)", RegexOptions.Multiline).Groups[1].Value;
        return Regex.Matches(services, @"^  (\w+):\n((?:    .*\n)+)", RegexOptions.Multiline)
            .Select(m => (m.Groups[1].Value, m.Groups[2].Value));
    }
}
