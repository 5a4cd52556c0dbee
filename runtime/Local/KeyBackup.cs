using System.Net;
using System.Text.Json;
using EventSourcing;
using Functions.EventStore;
using Microsoft.Azure.Cosmos;

namespace Runtime.Local;

/// <summary>
/// The keys that open personal text, with the master key that wraps them, as one file. It is a file apart from the
/// events because it is the one that must not be kept: it would bring back whoever is forgotten later.
/// </summary>
sealed record KeyBackup(string Format, string MasterKey, IReadOnlyList<JsonElement> Keys)
{
    const string FormatName = "key-backup";

    /// <summary>Written aside and moved into place: there is never half a file, and only its owner reads it.</summary>
    public static async Task<int> WriteAsync(string file, string folder, CosmosClient client, CancellationToken stop)
    {
        // A folder that never ran has no master key and no keys; the file then says so.
        var master = MasterFile(folder);
        var backup = new KeyBackup(
            FormatName,
            File.Exists(master) ? await File.ReadAllTextAsync(master, stop) : "",
            await ReadAsync(client, stop));
        await WriteSecretAsync(file, JsonSerializer.SerializeToUtf8Bytes(backup, StoredJson.Options), stop);
        return backup.Keys.Count;
    }

    /// <exception cref="InvalidDataException">It is no such file, or the folder has another master key.</exception>
    public static async Task<KeyBackup> OpenAsync(string file, string folder, CancellationToken stop)
    {
        KeyBackup? backup;
        try
        {
            var content = await File.ReadAllBytesAsync(file, stop);
            backup = JsonSerializer.Deserialize<KeyBackup>(content, StoredJson.Options);
        }
        catch (JsonException torn)
        {
            throw new InvalidDataException($"{file} is no file of keys: {torn.Message}");
        }

        if (backup is not { Format: FormatName, MasterKey: not null, Keys: not null })
            throw new InvalidDataException($"{file} is no file of keys.");
        var master = MasterFile(folder);
        if (File.Exists(master) && await File.ReadAllTextAsync(master, stop) != backup.MasterKey)
            throw new InvalidDataException($"{folder} has another master key: what these keys seal it could not open.");
        return backup;
    }

    /// <summary>Safe to do again. What the folder knows of a key stays: who is forgotten stays forgotten.</summary>
    public async Task StoreAsync(string folder, CosmosClient client, CancellationToken stop)
    {
        if (MasterKey.Length > 0 && !File.Exists(MasterFile(folder)))
            await WriteSecretAsync(MasterFile(folder), System.Text.Encoding.ASCII.GetBytes(MasterKey), stop);
        var container = client.GetContainer(Store.Database, Store.Keys);
        foreach (var key in Keys)
        {
            using var content = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(key, StoredJson.Options));
            using var response = await container.CreateItemStreamAsync(
                content, new PartitionKey(key.GetProperty("id").GetString()), cancellationToken: stop);
            if (response.StatusCode != HttpStatusCode.Conflict) response.EnsureSuccessStatusCode();
        }
    }

    static async Task<List<JsonElement>> ReadAsync(CosmosClient client, CancellationToken stop)
    {
        var keys = new List<JsonElement>();
        using var pages = client.GetContainer(Store.Database, Store.Keys)
            .GetItemQueryStreamIterator("SELECT c.id, c.wrapped, c.at FROM c");
        while (pages.HasMoreResults)
        {
            using var page = await pages.ReadNextAsync(stop);
            page.EnsureSuccessStatusCode();
            using var json = await JsonDocument.ParseAsync(page.Content, cancellationToken: stop);
            keys.AddRange(json.RootElement.GetProperty("Documents").EnumerateArray().Select(key => key.Clone()));
        }

        return keys;
    }

    static async Task WriteSecretAsync(string path, byte[] content, CancellationToken stop)
    {
        var aside = $"{path}.{Guid.NewGuid():N}";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using (var target = new FileStream(aside, options)) await target.WriteAsync(content, stop);
        File.Move(aside, path, overwrite: true);
    }

    static string MasterFile(string folder) => Path.Combine(folder, LocalSystem.MasterKeyFile);
}
