using System.Globalization;
using System.Net;
using System.Text.Json;
using Azure.Core.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Runtime.Worker;

/// <summary>Puts the host together around an application: first its defaults, at the end its functions.</summary>
sealed class Composition(FunctionsHostOptions options, bool standalone)
{
    const string AnnouncementCategory = "Host.Functions";
    const string BodyLimit = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT";
    const long BodyBytesMaxDefault = 104_857_600; // Azure's

    readonly HostJson hostJson = HostJson.Read(options.HostJson);

    /// <summary>Everything an application may build upon or change: settings, log levels, serializer.</summary>
    public WebApplicationBuilder CreateBuilder()
    {
        var web = WebApplication.CreateEmptyBuilder(new()
        {
            ApplicationName = options.Assemblies.Count > 0 ? options.Assemblies[0].GetName().Name : null,
            EnvironmentName = Setting("AZURE_FUNCTIONS_ENVIRONMENT") ?? Environments.Development,
            ContentRootPath = AppContext.BaseDirectory,
        });

        // Azure hands settings over as environment variables, where "__" stands for ":".
        web.Configuration.AddInMemoryCollection(options.Settings.Select(setting =>
            KeyValuePair.Create(setting.Key.Replace("__", ":", StringComparison.Ordinal), (string?)setting.Value)));
        ConfigureLogging(web.Logging);
        web.Services.AddRouting();
        web.Services.AddOptions<JsonSerializerOptions>().Configure(json => json.PropertyNameCaseInsensitive = true);
        web.Services.AddOptions<WorkerOptions>().PostConfigure<IOptions<JsonSerializerOptions>>(
            static (worker, json) => worker.Serializer ??= new JsonObjectSerializer(json.Value));
        ((IHostApplicationBuilder)web).ConfigureContainer(new DefaultServiceProviderFactory(new()
        {
            ValidateScopes = web.Environment.IsDevelopment(),
            ValidateOnBuild = web.Environment.IsDevelopment(),
        }));
        return web;
    }

    /// <summary>Finds, checks and compiles the functions, and connects them with their sources.</summary>
    public IHost Build(WebApplicationBuilder web, FunctionExecutionDelegate pipeline, bool isWebApplication)
    {
        var settings = new AppSettings(web.Configuration);
        web.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => ConfigureKestrel(kestrel, settings));

        // Last of the application's hosted services, first to stop: what those prepare is there before any event is.
        web.Services.AddSingleton<RunningFunctions>();
        web.Services.AddSingleton(provider => new WebPipeline(hostJson, Logger(provider, "Host.Http")));
        web.Services.AddHostedService(provider => provider.GetRequiredService<RunningFunctions>());
        if (!standalone)
        {
            // Whoever embeds the host decides when it ends, not Ctrl+C.
            web.Services.RemoveAll<IHostLifetime>();
            web.Services.AddSingleton<IHostLifetime, EmbeddedLifetime>();
        }

        var app = web.Build();
        try
        {
            Attach(app, settings, pipeline, isWebApplication);
            if (standalone)
            {
                app.Lifetime.ApplicationStarted.Register(() => Announce(app));
            }

            return app;
        }
        catch
        {
            ((IDisposable)app).Dispose();
            throw;
        }
    }

    void Attach(WebApplication app, AppSettings settings, FunctionExecutionDelegate pipeline, bool isWebApplication)
    {
        var attached = new Attachment(options, hostJson, settings, app.Services, pipeline).Attach(isWebApplication);
        app.Services.GetRequiredService<RunningFunctions>().Set(attached);
        app.Services.GetRequiredService<WebPipeline>().Configure(
            app, attached.Functions.Select(function => function.Source).OfType<HttpRoute>());

        foreach (var section in hostJson.Unknown)
        {
            Logger(app.Services, "Host.Startup").LogWarning("host.json: '{Section}' is not acted on here", section);
        }
    }

    static void Announce(WebApplication app)
    {
        var logger = Logger(app.Services, AnnouncementCategory);
        var functions = app.Services.GetRequiredService<RunningFunctions>();
        foreach (var function in functions.List(FunctionsHost.ListeningAddress(app)))
        {
            logger.LogInformation("{Function}", function);
        }
    }

    void ConfigureKestrel(KestrelServerOptions kestrel, AppSettings settings)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = settings[BodyLimit] is not { } limit ? BodyBytesMaxDefault
            : long.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) ? bytes
            : throw new FunctionsRefusedException($"Setting '{BodyLimit}' is '{limit}'; a number of bytes is needed.");

        var (listen, address) = (options.Listen, IPAddress.Loopback);
        if (listen.Scheme != Uri.UriSchemeHttp || !listen.IsLoopback ||
            (listen.HostNameType is not UriHostNameType.Dns && !IPAddress.TryParse(listen.DnsSafeHost, out address)))
        {
            throw new FunctionsRefusedException(
                $"'{listen}' is refused: this host serves plain HTTP on the loopback interface only, as " +
                "http://127.0.0.1:7071.");
        }

        kestrel.Listen(address, listen.Port);
    }

    // In Azure a function's own log lines pass the level of "Function" in host.json, the platform's that of "default".
    void ConfigureLogging(ILoggingBuilder logging)
    {
        var levels = hostJson.LogLevels;
        var @default = levels.TryGetValue("default", out var level) ? level : LogLevel.Information;
        logging.Services.AddLogging();
        logging.SetMinimumLevel(levels.TryGetValue("Function", out var function) ? function : @default);
        foreach (var platform in (string[])["Microsoft", "System", "Azure", "Host"])
        {
            logging.AddFilter(platform, @default);
        }

        // ASP.NET Core would log every address, and addresses may carry a key.
        logging.AddFilter("Microsoft.AspNetCore", @default > LogLevel.Warning ? @default : LogLevel.Warning);

        if (standalone)
        {
            // Whatever the levels are: who starts an application by hand wants to see where it answers.
            logging.AddFilter(AnnouncementCategory, LogLevel.Information);
        }

        foreach (var (category, each) in levels.Where(pair => pair.Key != "default"))
        {
            logging.AddFilter(category, each);
        }

        options.Logging?.Invoke(logging);
    }

    string? Setting(string name) =>
        options.Settings.TryGetValue(name, out var value) && value.Length > 0 ? value : null;

    static ILogger Logger(IServiceProvider services, string category) =>
        services.GetRequiredService<ILoggerFactory>().CreateLogger(category);

    sealed class EmbeddedLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
