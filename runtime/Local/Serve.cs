using System.Net.Sockets;

namespace Runtime.Local;

/// <summary>Keeps the system up until it is told to stop.</summary>
static class Serve
{
    public static async Task<int> RunAsync(int port, string folder, CancellationToken stop)
    {
        using var claim = FolderClaim.Of(folder);
        if (claim is null)
        {
            Console.Error.WriteLine(FolderClaim.IsTaken(folder));
            return 1;
        }

        LocalSystem system;
        try
        {
            system = await LocalSystem.StartAsync(
                new() { Folder = folder, Port = port, Logging = CommandLine.LogToConsole }, stop);
        }
        catch (IOException busy) when (
            busy.InnerException is SocketException or Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            Console.Error.WriteLine($"Port {port} is taken. Choose another with --port.");
            return 1;
        }

        await using (system)
        {
            using var http = system.CreateHttpClient();
            var seeded = await Catalogue.SeedAsync(new(http), stop);
            Console.WriteLine(Welcome(system, folder, seeded));
            var stopped = new TaskCompletionSource();
            await using var registration = stop.Register(stopped.SetResult);
            await Task.WhenAny(stopped.Task, system.Host.Durable.Stopped);
            if (system.Host.Durable.Fault is { } fault)
            {
                // Sagas would stand still behind endpoints that answer: a restart takes them up.
                Console.Error.WriteLine(fault.Message);
                return 1;
            }

            Console.WriteLine("Stopping: running work is finished or kept for the next start.");
        }

        return 0;
    }

    static string Welcome(LocalSystem system, string folder, bool seeded)
    {
        var url = system.Address.ToString().TrimEnd('/');
        var key = system.Settings[LocalSystem.FunctionKey];
        var functions = string.Join('\n', system.Host.Functions.Where(f => f.Address is not null)
            .OrderBy(f => f.Address, StringComparer.Ordinal)
            .Select(f => $"  {f.Description.Split(' ')[0],-5} {f.Address}"));
        return $$"""

            The order business is up on {{url}},
                its state in {{folder}}.{{(seeded ? " A sample catalogue was seeded." : "")}}

            {{functions}}

            Keys, sent as x-functions-key: function {{key}} · admin {{system.Settings[LocalSystem.AdminKey]}}

            Try:
              curl -s -X PUT {{url}}/api/orders/{{Guid.NewGuid()}} -H 'x-functions-key: {{key}}' \
                -H 'content-type: application/json' -d '{
                  "customerId": "{{Catalogue.Customer}}",
                  "lines": [{ "productId": "blue-mug", "quantity": 2 }, { "productId": "red-teapot", "quantity": 1 }],
                  "shipTo": { "recipient": "Sample Customer", "street": "Main Street 1", "city": "Berlin",
                              "postalCode": "10115", "country": "DE" },
                  "payment": { "card": "4242 4242 4242 4242" } }'
              curl -s '{{url}}/api/orders?customerId={{Catalogue.Customer}}' -H 'x-functions-key: {{key}}'
              curl -s '{{url}}/api/products?search=mug' -H 'x-functions-key: {{key}}'
              curl -s {{url}}/api/streams/stock-blue-mug -H 'x-functions-key: {{key}}'
              curl -s {{url}}/api/health

            Ctrl+C stops it.
            """;
    }
}
