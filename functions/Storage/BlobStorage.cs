using System.Collections.Concurrent;
using Azure.Storage.Blobs;

namespace Functions.Storage;

/// <summary>What was asked for needs Blob Storage, and none is configured; everything else works without.</summary>
public sealed class BlobStorageNotConfiguredException() : InvalidOperationException(
    $"This needs Blob Storage. Set {Connections.Blobs} to a connection string, or {Connections.Blobs}__blobServiceUri "
    + "to an account that this app's identity may use.");

/// <summary>The blob containers of this system, or a clear refusal where none are configured.</summary>
/// <param name="service">The account; null when none is configured.</param>
/// <param name="makesContainers">
/// On Azure the deployment makes the containers, and the app's identity could not. An emulator starts empty.
/// </param>
/// <param name="prefix">Stands before every container's name, so that tests can share an account.</param>
public sealed class BlobStorage(BlobServiceClient? service, bool makesContainers = false, string prefix = "")
{
    /// <summary>Backups of all events.</summary>
    public const string Archive = "archive";

    /// <summary>Payloads too large for the message that speaks of them.</summary>
    public const string Claims = "claims";

    readonly ConcurrentDictionary<string, bool> made = new();

    public bool IsConfigured => service is not null;

    /// <exception cref="BlobStorageNotConfiguredException">There is none.</exception>
    public async ValueTask<BlobContainerClient> ContainerAsync(string name, CancellationToken cancellation)
    {
        if (service is null) throw new BlobStorageNotConfiguredException();
        var container = service.GetBlobContainerClient(prefix + name);
        if (!makesContainers || made.ContainsKey(name)) return container;

        // Two at once ask twice, and the second finds it there.
        await container.CreateIfNotExistsAsync(cancellationToken: cancellation);
        made[name] = true;
        return container;
    }
}
