namespace EventSourcing.Tests.Costs;

/// <summary>Numbers in a document are only worth something while a test holds them to the code.</summary>
static class CostDocument
{
    static readonly Lazy<string[]> Lines = new(() =>
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Serverless.sln"))) folder = folder.Parent!;
        return File.ReadAllLines(Path.Combine(folder.FullName, "docs", "internals", "costs.md"));
    });

    public static void Says(string row) =>
        Assert.True(Lines.Value.Contains(row), $"docs/internals/costs.md should have the row: {row}");
}
