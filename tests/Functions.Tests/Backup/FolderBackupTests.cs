using Runtime.Local;

namespace Functions.Tests.Backup;

/// <summary><c>export</c> and <c>import</c> of the local program: what they keep, refuse and answer.</summary>
public sealed class FolderBackupTests : IDisposable
{
    static readonly CancellationToken None = CancellationToken.None;

    readonly DirectoryInfo root = Directory.CreateTempSubdirectory("folder-backup-");

    public void Dispose() => root.Delete(recursive: true);

    [Fact]
    public async Task A_torn_export_goes_on_and_a_whole_one_is_left_alone()
    {
        var file = At("events.ndjson");
        await FilledFolder.WriteAsync(At("kept"), events: 1_200);
        Assert.Equal((0, "1200 events are in"), await ExportAsync(file));
        var whole = await File.ReadAllBytesAsync(file);

        await File.WriteAllBytesAsync(file, whole[..(whole.Length * 2 / 3)]);
        Assert.Equal((0, "going on where it ends"), await ExportAsync(file, "going on where it ends"));
        Assert.Equal(whole, await File.ReadAllBytesAsync(file));

        Assert.Equal((1, "the backup is whole"), await ExportAsync(file, "the backup is whole"));
        await File.WriteAllTextAsync(file, "not ours");
        Assert.Equal((1, "Line 1"), await ExportAsync(file, "Line 1"));
        Assert.Equal("not ours", await File.ReadAllTextAsync(file));
    }

    [Fact]
    public async Task Only_a_right_file_is_imported_and_only_into_an_empty_folder()
    {
        var file = At("events.ndjson");
        await FilledFolder.WriteAsync(At("kept"), events: 10);
        await ExportAsync(file);
        var lines = await File.ReadAllLinesAsync(file);

        var edited = lines.ToArray();
        edited[4] = edited[4].Replace("\"quantity\":1", "\"quantity\":9", StringComparison.Ordinal);
        Assert.NotEqual(lines[4], edited[4]);
        await File.WriteAllLinesAsync(file, edited);
        Assert.Equal((1, "Line 5 of the backup"), await ImportAsync(file, "Line 5 of the backup"));

        await File.WriteAllLinesAsync(file, lines[..^2]);
        Assert.Equal((1, "has no end"), await ImportAsync(file, "has no end"));

        // Neither left anything behind: the folder still counts as empty.
        await File.WriteAllLinesAsync(file, lines);
        Assert.Equal((0, "read back and compared"), await ImportAsync(file, "read back and compared"));
        Assert.Equal((1, "holds events already"), await ImportAsync(file, "holds events already"));
        Assert.Equal((0, "the 10 events"), await ImportAsync(file, "the 10 events", resume: true));
    }

    [Fact]
    public async Task What_is_missing_taken_or_misunderstood_is_told_and_nothing_is_made()
    {
        var file = At("events.ndjson");
        Assert.Equal((1, "holds no state"), await ExportAsync(file, "holds no state"));
        Assert.Equal((1, "There is no file"), await ImportAsync(file, "There is no file"));
        Assert.Empty(root.EnumerateFileSystemInfos());

        await FilledFolder.WriteAsync(At("kept"), events: 1);
        using (FolderClaim.Of(At("kept")))
            Assert.Equal((1, "Another process"), await ExportAsync(file, "Another process"));

        foreach (var nonsense in new string[][]
        {
            ["export"], ["import"], ["export", "--data", "x"], ["export", file, "--resume"], ["export", file, "--data"],
            ["import", file, "more"], ["import", file, "--resume", "yes"],
        })
            Assert.Equal(2, await CommandLine.RunAsync(nonsense));
        Assert.Equal(0, await CommandLine.RunAsync(["export", "--help"]));
        Assert.False(File.Exists(file));
    }

    string At(string name) => Path.Combine(root.FullName, name);

    async Task<(int Code, string Said)> ExportAsync(string file, string expected = "1200 events are in")
    {
        using var words = new StringWriter();
        return Said(await FolderBackup.ExportAsync(file, At("kept"), words, None), words, expected);
    }

    async Task<(int Code, string Said)> ImportAsync(string file, string expected, bool resume = false)
    {
        using var words = new StringWriter();
        return Said(await FolderBackup.ImportAsync(file, At("restored"), resume, words, None), words, expected);
    }

    /// <summary>The words that were looked for, or all of them when they are not there.</summary>
    static (int, string) Said(int code, StringWriter words, string expected) => (
        code, words.ToString().Contains(expected, StringComparison.Ordinal) ? expected : words.ToString());
}
