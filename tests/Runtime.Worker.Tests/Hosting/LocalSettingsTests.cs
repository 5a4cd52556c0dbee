namespace Runtime.Worker.Tests;

public sealed class LocalSettingsTests
{
    [Fact]
    public void Values_are_read_as_they_stand()
    {
        var settings = LocalSettings.Read(File("""
            {
              // what the Core Tools accept
              "IsEncrypted": false,
              "Values": { "Cosmos": "AccountEndpoint=http://x;", "Local:FunctionKey": "k", },
              "Host": { "LocalHttpPort": 7071 },
            }
            """));

        Assert.Equal(["Cosmos", "Local:FunctionKey"], settings.Keys.Order());
        Assert.Equal("k", settings["LOCAL:functionkey"]);
    }

    [Theory]
    [InlineData("""{ "IsEncrypted": true, "Values": {} }""", "is encrypted")]
    [InlineData("""{ "Values": { "Port": 7071 } }""", "Values.Port is a Number")]
    [InlineData("""{ "Values": { "A": "1", "a": "2" } }""", "Values.a is there twice")]
    [InlineData("""{ "Settings": {} }""", "has no \"Values\"")]
    [InlineData("[]", "must hold a JSON object")]
    [InlineData("{", "is not valid JSON")]
    public void A_file_with_mistakes_says_which(string text, string reason) =>
        Assert.Contains(
            reason, Assert.Throws<FunctionsRefusedException>(() => LocalSettings.Read(File(text))).Message,
            StringComparison.Ordinal);

    [Fact]
    public void A_missing_file_says_where_to_get_one() =>
        Assert.Contains(
            "local.settings.sample.json",
            Assert.Throws<FunctionsRefusedException>(() => LocalSettings.Read("/nowhere/local.settings.json")).Message,
            StringComparison.Ordinal);

    static string File(string text)
    {
        var path = Path.Combine(Path.GetTempPath(), $"settings-{Guid.NewGuid():N}.json");
        System.IO.File.WriteAllText(path, text);
        return path;
    }
}
