using System.Text.Json;

namespace Infra.Tests;

/// <summary>The repository is a template: it has the files and headings that template validation looks for.</summary>
public sealed class TemplateTests
{
    [Theory]
    [InlineData("LICENSE")]
    [InlineData("SECURITY.md")]
    [InlineData("CODE_OF_CONDUCT.md")]
    [InlineData("CONTRIBUTING.md")]
    [InlineData(".github/ISSUE_TEMPLATE")]
    [InlineData(".github/workflows/azure-dev.yml")]
    [InlineData(".devcontainer/devcontainer.json")]
    [InlineData("azure.yaml")]
    [InlineData("infra")]
    public void What_template_validation_looks_for_is_there(string path) => Assert.True(Repository.Has(path), path);

    [Theory]
    [InlineData("## Features")]
    [InlineData("## Getting started")]
    [InlineData("## Guidance")]
    [InlineData("## Resources")]
    public void The_readme_has_the_sections_template_validation_looks_for(string heading) =>
        Assert.Contains(heading, Repository.Read("README.md").Split('\n'), StringComparer.OrdinalIgnoreCase);

    [Fact]
    public void Every_settings_file_is_json()
    {
        var paths = Repository.Files("infra", "*.json").Concat(Repository.Files(".devcontainer", "*.json"));
        foreach (var path in paths) using (JsonDocument.Parse(Repository.Read(path))) { }
    }
}
