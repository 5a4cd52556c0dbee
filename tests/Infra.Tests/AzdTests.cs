using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Infra.Tests;

/// <summary>What azd gives the deployment and what it gets back fit together.</summary>
public sealed class AzdTests
{
    static readonly JsonObject Parameters =
        JsonNode.Parse(Repository.Read("infra/bicep/main.parameters.json"))!["parameters"]!.AsObject();

    static readonly IReadOnlyList<string> Given =
        [.. Regex.Matches(Parameters.ToJsonString(), @"\$\{(\w+)").Select(m => m.Groups[1].Value)];

    static readonly IReadOnlyList<string> Outputs = [.. Deployment.Main.Of("output").Select(o => o.Name)];

    [Fact]
    public void Every_parameter_is_given_and_no_other() => Assert.Equal(
        Deployment.Main.Of("param").Select(p => p.Name).Order(StringComparer.Ordinal),
        Parameters.Select(p => p.Key).Order(StringComparer.Ordinal));

    /// <summary>azd sets these itself; anything else unset would make it ask, and a pipeline can not answer.</summary>
    [Fact]
    public void Nothing_but_name_place_and_person_has_to_be_given()
    {
        var asked = Deployment.Main.Of("param").Where(p => p.Value.Length == 0).Select(p => p.Name);
        Assert.Equal(["environmentName", "location"], asked);
    }

    [Fact]
    public void Whatever_changes_a_deployment_is_passed_on_to_the_pipeline()
    {
        var own = Given.Concat(AzureYaml.Expanded).Distinct()
            .Where(v => !v.StartsWith("AZURE_", StringComparison.Ordinal));
        Assert.Equal(own.Order(StringComparer.Ordinal), AzureYaml.PipelineVariables.Order(StringComparer.Ordinal));
        var workflow = Repository.Read(".github/workflows/azure-dev.yml");
        Assert.All(AzureYaml.PipelineVariables.Concat(["AZURE_ENV_NAME", "AZURE_LOCATION"]), v => Assert.Contains(
            $"{v}: ${{{{ vars.{v} }}}}", workflow, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_output_that_is_needed_is_there()
    {
        var needed = new[] { "AZURE_LOCATION", "AZURE_RESOURCE_GROUP", "AZURE_TENANT_ID" }
            .Concat(AzureYaml.Services.Select(s => $"SERVICE_{s.ToUpperInvariant()}_NAME"))
            .Concat(AzureYaml.Services.Select(s => $"SERVICE_{s.ToUpperInvariant()}_URL"))
            .Concat(Asked());
        Assert.Empty(needed.Except(Outputs).Except(["AZURE_SUBSCRIPTION_ID"]));
    }

    /// <summary>Outputs become environment variables, which MSBuild takes for properties.</summary>
    [Fact]
    public void No_output_means_something_to_the_build() => Assert.Empty(Outputs.Concat(Given).Intersect(
        ["AzureSdk", "Configuration", "OutputPath", "Platform", "PublishDir", "TargetFramework", "Version"],
        StringComparer.OrdinalIgnoreCase));

    [Fact]
    public void Every_app_carries_the_tag_azd_finds_it_by()
    {
        var app = BicepFile.Read("infra/bicep/modules/function-app.bicep").Find("app")!;
        Assert.Contains("'azd-service-name': serviceName", app.Properties["tags"], StringComparison.Ordinal);
        Assert.Equal("environmentName", Deployment.Main.Find("tags")!.Properties["azd-env-name"]);
    }

    [Fact]
    public void Every_service_is_published_from_the_function_project()
    {
        Assert.Equal(["./functions"], AzureYaml.Projects);
        Assert.Single(Repository.Files("functions", "*.csproj"));
    }

    /// <summary>Every variable of the deployment that scripts and documents read.</summary>
    static IEnumerable<string> Asked() => Repository.Files("infra/scripts").Concat(Repository.Files("docs"))
        .SelectMany(path => Regex.Matches(Repository.Read(path), "azd env get-value (\\w+)|Output\\(\"(\\w+)\"\\)"))
        .Select(m => m.Groups[1].Value + m.Groups[2].Value);
}
