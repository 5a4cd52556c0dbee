using System.Text.RegularExpressions;

namespace Infra.Tests;

/// <summary>Every connection has the roles it needs, and no identity has any other.</summary>
public sealed class RoleTests
{
    const string BlobDataOwner = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b";
    const string BlobDataContributor = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";
    const string BlobDataReader = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1";
    const string QueueDataContributor = "974c5e8b-45b9-4653-ba55-5f855dd0fb88";
    const string TableDataContributor = "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3";
    const string ServiceBusDataReceiver = "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0";
    const string ServiceBusDataSender = "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39";
    const string EventHubsDataReceiver = "a638d3c7-ab3a-418d-83e6-5f17a39d4fde";
    const string EventHubsDataSender = "2b629674-e913-4c01-ae53-ef4638d8f975";
    const string MonitoringMetricsPublisher = "3913510d-42f4-4e42-8a64-420c390055eb";
    const string CryptoServiceEncryptionUser = "e147488a-f6f5-4113-8e2d-b22465e65bf6";
    const string DurableTaskDataContributor = "0ad04412-c4d5-4796-b79c-f76d14c8d402";

    const string Storage = "Microsoft.Storage/storageAccounts";

    /// <summary>What each group of app settings connects to, and the roles it takes there.</summary>
    static readonly Dictionary<string, (string Target, string[] Roles)> Connections = new()
    {
        ["APPLICATIONINSIGHTS_CONNECTION_STRING"] = ("Microsoft.Insights/components", [MonitoringMetricsPublisher]),
        ["AzureWebJobsStorage"] = (Storage, [BlobDataOwner]),
        ["Blobs"] = ($"{Storage}/blobServices/containers", [BlobDataContributor, BlobDataReader]),
        ["DURABLE_TASK_SCHEDULER_CONNECTION_STRING"] =
            ("Microsoft.DurableTask/schedulers/hub", [DurableTaskDataContributor]),
        ["DurableStorage"] = (Storage, [BlobDataContributor, QueueDataContributor, TableDataContributor]),
        ["EventHubs"] = ("Microsoft.EventHub/namespaces", [EventHubsDataReceiver, EventHubsDataSender]),
        ["KeyVault"] = ("Microsoft.KeyVault/vaults", [CryptoServiceEncryptionUser]),
        ["ServiceBus"] = ("Microsoft.ServiceBus/namespaces", [ServiceBusDataReceiver, ServiceBusDataSender]),
    };

    /// <summary>Settings that lead to no resource of ours.</summary>
    static readonly string[] NoConnection =
    [
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "AZURE_CLIENT_ID", "Approval", "AzureFunctionsJobHost",
        "OTEL_EXPORTER_OTLP_ENDPOINT", "Sagas", "TASKHUB_NAME",
    ];

    [Fact]
    public void Every_connection_has_the_roles_it_needs_and_no_other_role_is_given()
    {
        var needed = Connections.Values.SelectMany(c => c.Roles.Select(role => (c.Target, role))).ToHashSet();
        Assert.Equal(needed.Order(), Deployment.RoleAssignments.Order());
    }

    [Fact]
    public void Every_setting_is_a_connection_with_roles_or_known_to_be_none()
    {
        var groups = Deployment.AppSettings.Keys.Select(key => key.Split("__")[0]).Distinct();
        Assert.Equal(
            Connections.Keys.Concat(NoConnection).Append("Cosmos").Order(StringComparer.Ordinal),
            groups.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_role_is_given_by_module_to_each_identity()
    {
        var given = Deployment.Main.Of("module").Where(m => m.Type == "modules/access.bicep").ToList();
        Assert.Contains(given, m => m.Value.Contains("for (service, i) in services", StringComparison.Ordinal));
        Assert.Contains(Deployment.Main.Of("module"), m => m.Type == "modules/cosmos-access.bicep");
    }

    [Fact]
    public void Nobody_may_delete_from_or_replace_in_the_event_container_who_only_appends()
    {
        var appender = BicepFile.Read("infra/bicep/modules/cosmos.bicep").Find("appender")!;
        var actions = Regex.Matches(appender.Text, "'(Microsoft.DocumentDB/[^'@]+)'")
            .Select(m => m.Groups[1].Value).ToList();
        Assert.Contains(actions, a => a.EndsWith("items/create", StringComparison.Ordinal));
        Assert.DoesNotContain(actions, a => a.EndsWith('*') || a.EndsWith("delete", StringComparison.Ordinal)
            || a.EndsWith("replace", StringComparison.Ordinal));
    }

    /// <summary>
    /// The change feed reads metadata above its container, so a reader's role below the account fails.
    /// </summary>
    [Fact]
    public void Every_identity_reads_the_whole_account()
    {
        var access = BicepFile.Read("infra/bicep/modules/cosmos-access.bicep");
        Assert.Contains("map(everybody,", access.Find("reads")!.Value, StringComparison.Ordinal);
        Assert.Equal("'*'", BicepText.Properties(access.Find("reads")!.Value)["container"]);
        var scope = BicepText.Properties(access.Find("assignments")!.Properties["properties"])["scope"];
        Assert.StartsWith("grant.container == '*' ? account.id : ", scope, StringComparison.Ordinal);
    }

    [Fact]
    public void No_service_may_write_the_event_container_but_by_appending() => Assert.All(
        Topology.ServiceByName.Values.Append(Topology.Services["together"]!),
        service => Assert.DoesNotContain("events", Topology.Names(service["access"]!["cosmos"]!["write"]!.AsArray())));

    [Fact]
    public void The_reader_follows_variables_and_loops_to_the_roles()
    {
        var file = new BicepFile("x.bicep", """
            var reader = '11111111-1111-1111-1111-111111111111'
            var rights = { send: '22222222-2222-2222-2222-222222222222' } // not '99999999-9999-9999-9999-999999999999'
            var both = [reader, rights.send]
            resource bus 'Microsoft.ServiceBus/namespaces@2024-01-01' existing = { name: 'x' }
            resource one 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (true) {
              scope: bus
              properties: {
                roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', reader)
              }
            }
            resource two 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in both: {
              scope: bus
              properties: { roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role) }
            }]
            """);
        const string Bus = "Microsoft.ServiceBus/namespaces";
        Assert.Equal(
            [
                (Bus, "11111111-1111-1111-1111-111111111111"),
                (Bus, "11111111-1111-1111-1111-111111111111"),
                (Bus, "22222222-2222-2222-2222-222222222222"),
            ],
            Deployment.RolesOf(file));
    }
}
