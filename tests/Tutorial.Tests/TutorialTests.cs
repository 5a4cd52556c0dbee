using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Tutorial.Tests;

/// <summary>The tutorial is done from scratch, on a copy of this working tree, exactly as it is written.</summary>
public sealed class TutorialTests : IDisposable
{
    static readonly string Root = FindRoot();

    static readonly string[] Copied = ["src", "functions", "runtime", "infra", "docs", "tests", "benchmarks"];

    static readonly string[] Generated = ["bin", "obj", "node_modules"];

    readonly string folder = Directory.CreateTempSubdirectory("tutorial-").FullName;

    [Fact]
    public async Task The_tutorial_can_be_followed_word_by_word()
    {
        Copy();
        Page.Read(await File.ReadAllTextAsync(Path.Combine(Root, "docs", "tutorial.md"))).Apply(folder);

        // What it says its reader should see: the rules of the new context, what guards stored shapes and topology, and
        // the whole way from an order to the points it earns.
        Assert.True(await TestsAsync("Commerce.Tests") > 0);
        Assert.True(await TestsAsync("Infra.Tests") > 0);
        Assert.True(await TestsAsync("Tidy.Tests") > 0);
        Assert.True(await TestsAsync(
            "Functions.Tests", "FullyQualifiedName~Loyalty|FullyQualifiedName~SagaHistories") > 0);
    }

    void Copy()
    {
        foreach (var file in Directory.EnumerateFiles(Root))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        foreach (var hidden in new[] { ".github", ".devcontainer", ".ci" }.Concat(Copied))
        {
            if (!Directory.Exists(Path.Combine(Root, hidden))) continue;
            foreach (var file in Directory.EnumerateFiles(Path.Combine(Root, hidden), "*", SearchOption.AllDirectories))
            {
                var relative = Path.GetRelativePath(Root, file);
                if (relative.Split(Path.DirectorySeparatorChar).Intersect(Generated).Any()) continue;
                var copy = Path.Combine(folder, relative);
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(file, copy);
            }
        }
    }

    /// <summary>How many tests of a project passed; what failed is in the message.</summary>
    async Task<int> TestsAsync(string project, string? filter = null)
    {
        // Style is checked where the code lives; here it would only take time.
        string[] arguments =
        [
            "test", Path.Combine("tests", project), "--configuration", "Release", "-p:RunAnalyzers=false",
            "-p:UseSharedCompilation=false", "--nologo", .. filter is null ? [] : new[] { "--filter", filter },
        ];
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        using var run = Process.Start(start)!;
        var errors = run.StandardError.ReadToEndAsync();
        var output = await run.StandardOutput.ReadToEndAsync();
        await run.WaitForExitAsync();
        Assert.True(run.ExitCode == 0, $"{project}:\n{output}\n{await errors}");
        return Regex.Matches(output, @"Passed:\s+(\d+)").Sum(m => int.Parse(m.Groups[1].ValueSpan, null));
    }

    static string FindRoot()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "Serverless.sln"))) at = at.Parent;
        return at?.FullName ?? throw new InvalidOperationException("These tests run inside the repository.");
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
