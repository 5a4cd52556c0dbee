using System.Diagnostics;
using System.Security.Cryptography;
using Azure.Storage.Blobs;
using Functions.Storage;

namespace Storage.Tests;

/// <summary>
/// A Blob Storage account: the one the environment names, else Azurite, Microsoft's emulator, started for these tests
/// and ended with them.
/// </summary>
public sealed class BlobAccount : IAsyncLifetime
{
    public const string Setting = "BLOBS_CONNECTION_STRING";

    const string Account = "tests";
    const string Listening = "successfully listens on ";

    static readonly string Folder = Path.Combine(RepositoryRoot(), "tests", "Storage.Tests", "azurite");
    static readonly TimeSpan StartMax = TimeSpan.FromSeconds(90);

    readonly List<string> prefixes = [];
    Process? azurite;

    /// <summary>Null when the tests can run.</summary>
    /// <remarks>Where npm is at hand in CI the tests are not skipped, so that a failed install is noticed.</remarks>
    public static string? ReasonToSkip { get; } =
        Given is not null || IsInstalled || (Environment.GetEnvironmentVariable("CI") == "true" && HasNpm)
            ? null
            : $"Azurite is not installed: run npm ci in tests/Storage.Tests/azurite, or set {Setting}.";

    internal static string? Given =>
        Environment.GetEnvironmentVariable(Setting) is { Length: > 0 } given ? given : null;

    static bool IsInstalled => Directory.Exists(Path.Combine(Folder, "node_modules", "azurite"));

    static bool HasNpm => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, "npm")) || File.Exists(Path.Combine(folder, "npm.cmd")));

    public string ConnectionString { get; private set; } = "";

    /// <summary>The storage as the app has it, in containers that no other test sees.</summary>
    public BlobStorage Storage(BlobClientOptions? options = null, string? prefix = null)
    {
        if (prefix is null) prefixes.Add(prefix = NewPrefix());
        return new(new(ConnectionString, options), makesContainers: true, prefix);
    }

    public static string NewPrefix() => $"t{Guid.NewGuid():N}-";

    public async Task InitializeAsync()
    {
        if (ReasonToSkip is not null) return;
        ConnectionString = Given ?? await StartAsync();
    }

    public async Task DisposeAsync()
    {
        if (azurite is not null)
        {
            azurite.Kill(entireProcessTree: true);
            await azurite.WaitForExitAsync();
            azurite.Dispose();
            return;
        }

        if (ReasonToSkip is not null) return;
        var service = new BlobServiceClient(ConnectionString);
        foreach (var container in prefixes.SelectMany(
            prefix => new[] { prefix + BlobStorage.Archive, prefix + BlobStorage.Claims }))
            await service.GetBlobContainerClient(container).DeleteIfExistsAsync();
    }

    async Task<string> StartAsync()
    {
        if (!IsInstalled)
            throw new InvalidOperationException("Azurite is not installed: run npm ci in tests/Storage.Tests/azurite.");
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        var start = new ProcessStartInfo("node")
        {
            WorkingDirectory = Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["AZURITE_ACCOUNTS"] = $"{Account}:{key}" },
        };
        foreach (var argument in new[]
        {
            "start.js", "--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence", "--silent",
            "--disableTelemetry", "--disableProductStyleUrl", "--skipApiVersionCheck",
        })
            start.ArgumentList.Add(argument);
        azurite = Process.Start(start)!;
        return $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={key};"
            + $"BlobEndpoint={await AddressAsync(azurite)}/{Account};";
    }

    static async Task<string> AddressAsync(Process azurite)
    {
        using var patience = new CancellationTokenSource(StartMax);
        var said = new List<string>();
        while (await azurite.StandardOutput.ReadLineAsync(patience.Token) is { } line)
        {
            said.Add(line);
            var at = line.IndexOf(Listening, StringComparison.Ordinal);
            if (at < 0) continue;

            // Nobody reads on, and a full pipe would stop it.
            azurite.BeginErrorReadLine();
            _ = azurite.StandardOutput.ReadToEndAsync(CancellationToken.None);
            return line[(at + Listening.Length)..].Trim();
        }

        said.Add(await azurite.StandardError.ReadToEndAsync(patience.Token));
        throw new InvalidOperationException($"Azurite did not start: {string.Join('\n', said)}");
    }

    static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Serverless.sln"))) folder = folder.Parent!;
        return folder.FullName;
    }
}

/// <summary>The classes that share one account.</summary>
[CollectionDefinition(nameof(BlobAccount))]
public sealed class BlobAccountCollection : ICollectionFixture<BlobAccount>;

/// <summary>A test that needs a Blob Storage account.</summary>
[AttributeUsage(AttributeTargets.Method)]
public class BlobFactAttribute : FactAttribute
{
    public BlobFactAttribute() => Skip = BlobAccount.ReasonToSkip;
}

/// <summary>A test that uses the app's own containers, so never those of an account that is somebody's.</summary>
public sealed class AzuriteFactAttribute : BlobFactAttribute
{
    public AzuriteFactAttribute()
    {
        if (BlobAccount.Given is not null)
            Skip = $"This runs on Azurite alone: it uses the app's own containers. Unset {BlobAccount.Setting}.";
    }
}
