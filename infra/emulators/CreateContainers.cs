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

var emulator = Read("func.settings.json")["Values"]!["Cosmos"]!;
var topology = Read("../topology/cosmos.json");
using var client = new CosmosClient(
    args is [var given] ? given : (string)emulator!,
    new() { ConnectionMode = ConnectionMode.Gateway });

Database database = await client.CreateDatabaseIfNotExistsAsync((string)topology["database"]!);
foreach (var container in topology["containers"]!)
{
    // The topology writes a container as the service itself does, so the SDK reads it without translation.
    var properties = container["resource"]!.ToObject<ContainerProperties>()!;
    var response = await database.CreateContainerIfNotExistsAsync(properties);
    Console.WriteLine($"{(int)response.StatusCode} {properties.Id}");
}

static JObject Read(string path, [CallerFilePath] string here = "") =>
    JObject.Parse(File.ReadAllText(Path.Combine(Path.GetDirectoryName(here)!, path)));
