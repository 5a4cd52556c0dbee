using System.Text.RegularExpressions;

namespace Infra.Tests;

/// <summary>What the Bicep files deploy, as far as tests ask.</summary>
static class Deployment
{
    public static BicepFile Main { get; } = BicepFile.Read("infra/bicep/main.bicep");

    public static IReadOnlyList<BicepFile> Files { get; } =
        [.. Repository.Files("infra/bicep", "*.bicep").Select(BicepFile.Read)];

    /// <summary>Name and value of every app setting of a function app, under whatever parameters.</summary>
    public static IReadOnlyDictionary<string, string> AppSettings { get; } =
        SettingsOf(BicepFile.Read("infra/bicep/modules/function-app.bicep"));

    /// <summary>Every role assignment outside of Cosmos DB: the type of what it is on, and the role.</summary>
    public static IReadOnlySet<(string Target, string Role)> RoleAssignments { get; } =
        Files.SelectMany(RolesOf).ToHashSet();

    internal static IReadOnlyDictionary<string, string> SettingsOf(BicepFile app) => app.Of("var")
        .Where(v => v.Name.EndsWith("ettings", StringComparison.Ordinal) && v.Value.StartsWith('{'))
        .SelectMany(v => v.Properties)
        .ToDictionary(p => p.Key, p => p.Value.Trim('\''), StringComparer.Ordinal);

    internal static IEnumerable<(string Target, string Role)> RolesOf(BicepFile file)
    {
        foreach (var assignment in file.Of("resource").Where(r =>
            r.Type.StartsWith("Microsoft.Authorization/roleAssignments@", StringComparison.Ordinal)))
        {
            // One of a list of resources is of the list's type.
            var scope = assignment.Properties["scope"].Split('[')[0].Split("::");
            var target = file.Find(scope[0])!.Type.Split('@')[0] + (scope.Length > 1 ? $"/{scope[1]}" : "");
            var definition = BicepText.Properties(assignment.Properties["properties"])["roleDefinitionId"];
            foreach (var role in Guids(file, assignment, definition.Split(',')[1])) yield return (target, role);
        }
    }

    /// <summary>The GUIDs an expression may stand for: its own, its variables', those its loop runs over.</summary>
    static IEnumerable<string> Guids(BicepFile file, BicepDeclaration at, string expression)
    {
        foreach (Match guid in Regex.Matches(expression, @"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"))
            yield return guid.Value;
        foreach (var name in Regex.Matches(expression, @"\b[A-Za-z_]\w*\b").Select(m => m.Value).Distinct())
        {
            var loop = Regex.Match(at.Text, $@"\bfor\s+{name}\s+in\s+([^:]+):");
            var variable = file.Of("var").FirstOrDefault(v => v.Name == name);
            var source = loop.Success ? loop.Groups[1].Value : variable?.Value;
            if (source is null) continue;
            foreach (var found in Guids(file, at, source)) yield return found;
        }
    }
}
