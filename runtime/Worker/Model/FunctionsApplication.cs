using Microsoft.AspNetCore.Builder;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Runtime.Worker;

namespace Microsoft.Azure.Functions.Worker.Builder;

/// <summary>The beginning of a functions application.</summary>
public class FunctionsApplication
{
    /// <summary>Prepares an application of the entry assembly's functions, to be built and run by itself.</summary>
    public static FunctionsApplicationBuilder CreateBuilder(string[] args) =>
        new(Standalone.Options(args), standalone: true);
}

/// <summary>Composes a functions application: services, settings, logging and middleware.</summary>
public class FunctionsApplicationBuilder : IHostApplicationBuilder, IFunctionsWorkerApplicationBuilder
{
    readonly WebApplicationBuilder web;
    readonly FunctionsHostOptions options;
    readonly List<Func<FunctionExecutionDelegate, FunctionExecutionDelegate>> middleware = [];
    readonly Composition composition;
    bool built;

    internal FunctionsApplicationBuilder(FunctionsHostOptions options, bool standalone)
    {
        this.options = options;
        composition = new(options, standalone);
        web = composition.CreateBuilder();
    }

    public IDictionary<object, object> Properties => ((IHostApplicationBuilder)web).Properties;

    public ConfigurationManager Configuration => web.Configuration;

    public IHostEnvironment Environment => web.Environment;

    public ILoggingBuilder Logging => web.Logging;

    public IMetricsBuilder Metrics => web.Metrics;

    public IServiceCollection Services => web.Services;

    IConfigurationManager IHostApplicationBuilder.Configuration => Configuration;

    internal bool IsWebApplication { get; private set; }

    public IFunctionsWorkerApplicationBuilder Use(Func<FunctionExecutionDelegate, FunctionExecutionDelegate> middleware)
    {
        RefuseOnceBuilt();
        this.middleware.Add(middleware);
        return this;
    }

    public void ConfigureContainer<TContainerBuilder>(
        IServiceProviderFactory<TContainerBuilder> factory, Action<TContainerBuilder>? configure = null)
        where TContainerBuilder : notnull => ((IHostApplicationBuilder)web).ConfigureContainer(factory, configure);

    /// <summary>Finds and checks all functions; the host that it returns has not started anything yet.</summary>
    /// <exception cref="FunctionsRefusedException">A function, a setting or host.json is not acceptable.</exception>
    public IHost Build()
    {
        RefuseOnceBuilt();
        built = true;
        options.Replace?.Invoke(Services);
        return composition.Build(web, Pipeline(), IsWebApplication);
    }

    internal void UseWebApplication()
    {
        if (!IsWebApplication)
        {
            IsWebApplication = true;
            Use(WebResults.Around);
        }
    }

    // What was added first runs outermost, so the chain is tied from its inner end.
    FunctionExecutionDelegate Pipeline()
    {
        FunctionExecutionDelegate function =
            static context => context.Features.Get<InvocationOutcome>()!.Function.RunAsync(context);
        return middleware.AsEnumerable().Reverse().Aggregate(function, static (inner, wrap) => wrap(inner));
    }

    void RefuseOnceBuilt()
    {
        if (built)
        {
            throw new InvalidOperationException("The application has been built already.");
        }
    }
}

/// <summary>Lets functions take and answer ASP.NET Core requests.</summary>
public static class FunctionsApplicationBuilderAspNetCoreExtensions
{
    public static FunctionsApplicationBuilder ConfigureFunctionsWebApplication(this FunctionsApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.UseWebApplication();
        return builder;
    }
}
