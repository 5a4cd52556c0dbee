#:package Microsoft.Azure.Cosmos
#:package Newtonsoft.Json
#:property PublishAot=false
#:property RestorePackagesWithLockFile=false
#:property NoWarn=$(NoWarn);NU1603

// Creates the database and containers of infra/topology/cosmos.json where no Bicep does: on the Cosmos DB emulator.
//   dotnet run infra/emulators/CreateContainers.cs [connection string]
// What is there already is left as it is, so it may be run again.

using System.Runtime.CompilerServices;
using Microsoft.Azure.Cosmos;
using Newtonsoft.Json.Linq;

const string Emulator = "AccountEndpoint=https://localhost:8081/;AccountKey=C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2n"
    + "Q9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw==;DisableServerCertificateValidation=True;";

var topology = JObject.Parse(await File.ReadAllTextAsync(Path.Combine(Here(), "../topology/cosmos.json")));
using var client = new CosmosClient(args is [var given] ? given : Emulator, new() { ConnectionMode = ConnectionMode.Gateway });

Database database = await client.CreateDatabaseIfNotExistsAsync((string)topology["database"]!);
foreach (var container in topology["containers"]!)
{
    // The topology writes a container as the service itself does, so the SDK reads it without translation.
    var properties = container["resource"]!.ToObject<ContainerProperties>()!;
    var response = await database.CreateContainerIfNotExistsAsync(properties);
    Console.WriteLine($"{(int)response.StatusCode} {properties.Id}");
}

static string Here([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
