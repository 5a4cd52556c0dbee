using Azure.Identity;
using Microsoft.Azure.Cosmos;

namespace Runtime.Worker;

/// <summary>The clients of change-feed triggers, one for each connection and list of regions.</summary>
sealed class CosmosClients(Func<string, CosmosClient>? given, AppSettings settings) : IDisposable
{
    readonly Dictionary<(string Connection, string? Regions), CosmosClient> own = [];

    /// <exception cref="FunctionsRefusedException">The connection has no setting of a known form.</exception>
    public CosmosClient For(string connection, string? regions)
    {
        if (given is not null)
        {
            return given(connection);
        }

        if (!own.TryGetValue((connection, regions), out var client))
        {
            own.Add((connection, regions), client = Create(connection, regions));
        }

        return client;
    }

    public void Dispose()
    {
        foreach (var client in own.Values)
        {
            client.Dispose();
        }
    }

    CosmosClient Create(string connection, string? regions)
    {
        try
        {
            // The identity form comes as X__accountEndpoint; a plain connection string wins where both are there.
            return settings[connection] is { } text
                ? new(text, Options(Endpoint(text), regions))
                : settings[$"{connection}__accountEndpoint"] is { } endpoint
                    ? new(endpoint, new DefaultAzureCredential(), Options(endpoint, regions))
                    : throw new FunctionsRefusedException(
                        $"connection '{connection}' needs the setting '{connection}' (a connection string) or " +
                        $"'{connection}__accountEndpoint' (with the identity of whoever runs this).");
        }
        catch (ArgumentException e)
        {
            // The setting holds a key: its text does not belong into a message.
            throw new FunctionsRefusedException(
                $"the setting of connection '{connection}' is no Cosmos DB connection: {e.Message}");
        }
        catch (UriFormatException)
        {
            throw new FunctionsRefusedException(
                $"the setting of connection '{connection}' names no valid account endpoint.");
        }
    }

    static CosmosClientOptions Options(string? endpoint, string? regions)
    {
        var options = new CosmosClientOptions { ApplicationName = "CosmosDBTriggerFunctions" };
        if (regions is not null)
        {
            options.ApplicationPreferredRegions =
                regions.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        }

        // Emulators speak the gateway protocol only, and answer with addresses that need not be reachable.
        if (Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) && uri.IsLoopback)
        {
            options.ConnectionMode = ConnectionMode.Gateway;
            options.LimitToEndpoint = true;
        }

        return options;
    }

    static string? Endpoint(string connectionString) => connectionString.Split(';')
        .Select(part => part.Split('=', 2, StringSplitOptions.TrimEntries))
        .FirstOrDefault(part => part is ["AccountEndpoint", _])?[1];
}
