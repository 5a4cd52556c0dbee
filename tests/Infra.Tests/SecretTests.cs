using System.Text.RegularExpressions;

namespace Infra.Tests;

/// <summary>No secret is written down, asked for or handed out, and nothing deployed takes a key.</summary>
public sealed class SecretTests
{
    /// <summary>Published by Microsoft for its emulators; they open nothing else.</summary>
    static readonly string[] EmulatorKeys =
    [
        "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw==",
        "SAS_KEY_VALUE",
    ];

    /// <summary>The switch of each kind of resource that turns its keys off.</summary>
    static readonly Dictionary<string, string> KeysOff = new()
    {
        ["Microsoft.DocumentDB/databaseAccounts"] = "disableLocalAuth: true",
        ["Microsoft.EventHub/namespaces"] = "disableLocalAuth: true",
        ["Microsoft.Insights/components"] = "DisableLocalAuth: true",
        ["Microsoft.KeyVault/vaults"] = "enableRbacAuthorization: true",
        ["Microsoft.OperationalInsights/workspaces"] = "disableLocalAuth: true",
        ["Microsoft.ServiceBus/namespaces"] = "disableLocalAuth: true",
        ["Microsoft.Storage/storageAccounts"] = "allowSharedKeyAccess: false",
        ["Microsoft.Web/sites"] = "allow: false",
    };

    static readonly string[] Searched =
    [
        .. Repository.Files("infra"), .. Repository.Files(".github"), .. Repository.Files(".devcontainer"),
        "azure.yaml", "compose.yaml", "host.json",
    ];

    [Fact]
    public void No_file_holds_a_secret() => Assert.Empty(Searched.SelectMany(path => Secrets(Repository.Read(path))
        .Select(secret => $"{path}: {secret}")));

    [Fact]
    public void No_key_is_ever_read_from_a_resource() => Assert.DoesNotContain(
        Deployment.Files,
        file => Regex.IsMatch(Repository.Read(file.Path), @"\blist[A-Z]\w*\s*\(|\blistkeys\s*\("));

    [Fact]
    public void No_parameter_asks_for_a_secret() => Assert.DoesNotContain(
        Deployment.Files.SelectMany(f => f.Of("param")),
        p => Regex.IsMatch(p.Name, "password|secret|(account|access|shared)Key$", RegexOptions.IgnoreCase));

    [Fact]
    public void No_output_hands_out_a_secret() => Assert.DoesNotContain(
        Deployment.Main.Of("output"), o => Regex.IsMatch(o.Name, "PASSWORD|SECRET|CONNECTION_STRING|_KEY$"));

    [Fact]
    public void Every_resource_that_could_take_a_key_refuses_it()
    {
        var resources = Deployment.Files.SelectMany(f => f.Of("resource"))
            .Where(r => !Regex.IsMatch(r.Text, @"^resource\s+\w+\s+'[^']+'\s+existing\b"))
            .Select(r => (Type: r.Type.Split('@')[0], r.Text)).ToList();
        Assert.All(KeysOff, off => Assert.Contains(resources, r => r.Type == off.Key));
        Assert.All(
            resources.Where(r => KeysOff.ContainsKey(r.Type)),
            r => Assert.Contains(KeysOff[r.Type], r.Text, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("AccountKey=abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ==;")]
    [InlineData("SharedAccessKey=Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA==")]
    [InlineData("https://x.blob.core.windows.net/c?sv=2024-01-01&sig=abc%2Bdef")]
    [InlineData("-----BEGIN PRIVATE KEY-----")]
    [InlineData("password: hunter2")]
    public void The_rule_sees_a_secret(string text) => Assert.NotEmpty(Secrets(text));

    [Theory]
    [InlineData("MSSQL_SA_PASSWORD: ${SQL_PASSWORD:?set it}")]
    [InlineData("password: ${{ secrets.PASSWORD }}")]
    [InlineData("SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true")]
    public void The_rule_leaves_alone_what_is_no_secret(string text) => Assert.Empty(Secrets(text));

    static IEnumerable<string> Secrets(string text)
    {
        foreach (var key in EmulatorKeys) text = text.Replace(key, "", StringComparison.Ordinal);
        return Regex.Matches(
            text,
            "(?:AccountKey|SharedAccessKey|SharedAccessSignature)=[^;\"'\\s]+"
            + "|[?&]sig=[^&\\s]+"
            + "|-----BEGIN [A-Z ]*PRIVATE KEY-----"
            + "|(?i:password|passwd|pwd|client_?secret)[\"']?\\s*[:=]\\s*[\"']?(?!\\$)[A-Za-z0-9!@#%^*+/]{6,}"
            + "|[A-Za-z0-9+/]{40,}==?").Select(m => m.Value[..Math.Min(m.Value.Length, 40)]);
    }
}
