using System.Xml.Linq;

namespace Infra.Tests;

/// <summary>Whatever the function code is bound to, the build for Azure has the package for.</summary>
public sealed class PackagesTests
{
    const string AzureManaged = "Microsoft.Azure.Functions.Worker.Extensions.DurableTask.AzureManaged";

    [Fact]
    public void Every_binding_and_client_has_its_package_in_the_azure_build() => Assert.Empty(Missing(
        SourceCode.App, Repository.Read("host.json"), Packages(Repository.Read("functions/Functions.csproj"))));

    [Fact]
    public void Every_package_of_the_azure_build_has_a_version()
    {
        var versions = XDocument.Parse(Repository.Read("Directory.Packages.props")).Descendants("PackageVersion")
            .Select(v => v.Attribute("Include")!.Value);
        Assert.Empty(Packages(Repository.Read("functions/Functions.csproj")).Except(versions));
    }

    /// <summary>
    /// The extension brings a client and a worker of its own version. A newer core under them is another's inside.
    /// </summary>
    [Fact]
    public void The_durable_task_packages_are_of_one_version_and_complete()
    {
        string[] set = ["Abstractions", "Client", "Client.Grpc", "Worker", "Worker.Grpc"];
        var named = set.Select(part => $"Microsoft.DurableTask.{part}").ToList();
        Assert.Empty(named.Except(Packages(Repository.Read("functions/Functions.csproj"))));
        Assert.Single(XDocument.Parse(Repository.Read("Directory.Packages.props")).Descendants("PackageVersion")
            .Where(v => v.Attribute("Include")!.Value.StartsWith("Microsoft.DurableTask.", StringComparison.Ordinal))
            .Select(v => v.Attribute("Version")!.Value).Distinct());
    }

    [Fact]
    public void The_rule_sees_a_binding_a_client_and_a_back_end_without_a_package()
    {
        var code = new SourceCode([("F.cs", """
            using Azure.Messaging.ServiceBus;
            class F
            {
                [Function("A")] void A([TimerTrigger("0 * * * * *")] object timer) { }
                [Function("B")] void B([OrchestrationTrigger] object context) { }
                [Function("C")] void C([BlobTrigger("x")] object blob) { }
            }
            """)]);
        var project = """
            <Project>
              <ItemGroup><PackageReference Include="Microsoft.Azure.Cosmos" /></ItemGroup>
              <ItemGroup Condition="'$(AzureSdk)' != 'true'">
                <PackageReference Include="Microsoft.Azure.Functions.Worker.Extensions.Timer" />
              </ItemGroup>
              <ItemGroup Condition="'$(AzureSdk)' == 'true'">
                <PackageReference Include="Microsoft.Azure.Functions.Worker.Extensions.DurableTask" />
              </ItemGroup>
            </Project>
            """;
        const string HostFile = """{ "storageProvider": { "type": "azureManaged" } }""";
        Assert.Equal(
            [
                "Azure.Messaging.ServiceBus",
                "BlobTrigger is no binding this system knows",
                "Microsoft.Azure.Functions.Worker",
                "Microsoft.Azure.Functions.Worker.Extensions.DurableTask.AzureManaged",
                "Microsoft.Azure.Functions.Worker.Extensions.Timer",
                "Microsoft.Azure.Functions.Worker.Sdk",
            ],
            Missing(code, HostFile, Packages(project)).Order(StringComparer.Ordinal));
    }

    static IEnumerable<string> Missing(SourceCode code, string hostFile, HashSet<string> packages)
    {
        var bindings = code.Attributes.Select(b => b.Attribute).Where(BindingKinds.IsBinding)
            .ToLookup(BindingKinds.ByAttribute.ContainsKey);
        var unknown = bindings[false].Distinct().Select(b => $"{b} is no binding this system knows");
        var needed = new[] { "Microsoft.Azure.Functions.Worker", "Microsoft.Azure.Functions.Worker.Sdk" }
            .Concat(bindings[true].Select(b => BindingKinds.ByAttribute[b].Package))
            .Concat(code.Usings.Select(u => BindingKinds.PackageByNamespace.GetValueOrDefault(u.Name)).OfType<string>())
            .Concat(code.Functions.Any(f => f.Uses("OrchestrationTrigger", "DurableClient"))
                && hostFile.Contains("azureManaged", StringComparison.OrdinalIgnoreCase) ? [AzureManaged] : []);
        return unknown.Concat(needed.Distinct().Where(p => !packages.Contains(p)));
    }

    /// <summary>The packages of the build for Azure: those of every build and those under its condition.</summary>
    static HashSet<string> Packages(string project) => XDocument.Parse(project).Descendants("ItemGroup")
        .Where(g => g.Attribute("Condition")?.Value is null or "'$(AzureSdk)' == 'true'")
        .SelectMany(g => g.Elements("PackageReference")).Select(p => p.Attribute("Include")!.Value)
        .ToHashSet(StringComparer.Ordinal);
}
