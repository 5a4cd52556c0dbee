using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.DependencyInjection;

namespace Runtime.Worker;

/// <summary>The functions of one host and the engine they share.</summary>
sealed record AttachedFunctions(
    DurableHost Durable, IReadOnlyList<(FunctionListing Listing, ITriggerSource? Source)> Functions);

/// <summary>Connects every function with its trigger, or says about all of them what is wrong.</summary>
sealed class Attachment(
    FunctionsHostOptions options, HostJson hostJson, AppSettings settings, IServiceProvider services,
    FunctionExecutionDelegate pipeline)
{
    readonly List<string> reasons = [];
    readonly Invocations invocations = new(
        pipeline, services, options.Clock, options.TimeoutClock, hostJson.FunctionTimeout);

    public AttachedFunctions Attach(bool isWebApplication)
    {
        var durable = new DurableHost(options, hostJson, settings, services);
        ITriggerKind[] kinds =
        [
            new HttpTriggerKind(hostJson, isWebApplication),
            new TimerTriggerKind(new(options.DurableFile is { } file ? $"{file}.timers.json" : null)),
            new CosmosTriggerKind(options),
            new OrchestrationTriggerKind(durable),
            new ActivityTriggerKind(durable),
            .. options.Triggers,
        ];
        WarnOfSections(kinds);

        var types = options.Assemblies.Distinct().SelectMany(assembly => assembly.GetTypes()).Where(options.Classes);
        var functions = FunctionMethod.Find(types, reasons).Select(method => Try(method, kinds, durable)).ToList();
        if (functions.Count == 0 && reasons.Count == 0)
        {
            reasons.Add(
                $"There is no [Function] in {string.Join(", ", options.Assemblies.Select(a => a.GetName().Name))}.");
        }

        if (reasons.Count > 0)
        {
            throw new FunctionsRefusedException(reasons);
        }

        // Not before: a host that is refused must leave no file open.
        durable.Open();
        return new(durable, functions!);
    }

    (FunctionListing Listing, ITriggerSource? Source) Try(
        FunctionMethod method, IReadOnlyList<ITriggerKind> kinds, DurableHost durable)
    {
        try
        {
            return AttachOne(method, kinds, durable);
        }
        catch (FunctionsRefusedException e)
        {
            reasons.AddRange(e.Reasons);
            return default;
        }
    }

    (FunctionListing Listing, ITriggerSource? Source) AttachOne(
        FunctionMethod method, IReadOnlyList<ITriggerKind> kinds, DurableHost durable)
    {
        var function = new TriggeredFunction(method);
        if (IsDisabled(method.Name))
        {
            // Nothing of it is looked at: it may well be disabled because what it needs is not there.
            return (new(method.Name, new Definition(method).TriggerKind, "", Disabled: true), null);
        }

        var kind = kinds.FirstOrDefault(kind => kind.Attribute == method.Trigger.GetType())
            ?? throw function.Refusal(
                $"[{method.Trigger.GetType().Name}] is not offered by this host.", method.Parameter);
        if (function.Retry is not null && !kind.HonoursRetry)
        {
            throw function.Refusal($"[{function.Retry.GetType().Name}] has no effect on this kind of trigger.");
        }

        BindCommon(function, durable);
        CheckConstructor(function);
        var source = kind.Attach(function, Host(kind.HostJsonSection));
        if (function.Unbound.Count > 0)
        {
            throw function.Refusal("nothing fills it.", function.Unbound[0]);
        }

        var hosted = invocations.Host(function, Outputs(function));
        function.Host = (invocations, hosted);
        return (new(function.Name, hosted.Kind, source.Description, Disabled: false), source);
    }

    bool IsDisabled(string function) =>
        settings.IsTrue($"AzureWebJobs.{function}.Disabled") || settings.IsTrue($"AzureWebJobs:{function}:Disabled");

    static void BindCommon(TriggeredFunction function, DurableHost durable)
    {
        foreach (var parameter in function.Unbound.Where(parameter => parameter != function.Parameter).ToList())
        {
            if (parameter.ParameterType == typeof(FunctionContext))
            {
                function.Bind(parameter, static (context, _) => new(context));
            }
            else if (parameter.ParameterType == typeof(CancellationToken))
            {
                function.Bind(parameter, static (context, _) => new(context.CancellationToken));
            }
            else if (parameter.GetCustomAttribute<DurableClientAttribute>() is { } client)
            {
                function.Bind(parameter, durable.Client(function, parameter, client));
            }
            else if (parameter.GetCustomAttribute<InputBindingAttribute>() is { } unknown)
            {
                throw function.Refusal($"[{unknown.GetType().Name}] is not offered by this host.", parameter);
            }
        }
    }

    // Found at start rather than by the first caller.
    void CheckConstructor(TriggeredFunction function)
    {
        if (function.Method.IsStatic ||
            function.Method.DeclaringType!.GetConstructors() is not [var constructor] ||
            services.GetService<IServiceProviderIsService>() is not { } registered)
        {
            return;
        }

        foreach (var parameter in constructor.GetParameters())
        {
            if (!parameter.HasDefaultValue && !parameter.IsDefined(typeof(FromKeyedServicesAttribute)) &&
                !registered.IsService(parameter.ParameterType))
            {
                throw function.Refusal(
                    $"its class needs a {parameter.ParameterType}, which is not registered.", parameter);
            }
        }
    }

    List<(string Name, OutputSender Send)> Outputs(TriggeredFunction function)
    {
        var senders = new List<(string, OutputSender)>();
        var bindings = CompiledFunction.OutputProperties(function.Method)
            .Select(property => (property.Name, Binding: property.GetCustomAttribute<OutputBindingAttribute>()!))
            .ToList();
        if (function.Method.GetCustomAttribute<OutputBindingAttribute>() is { } returned)
        {
            bindings.Add((Definition.Returned, returned));
        }

        foreach (var (name, binding) in bindings.Where(output => output.Binding is not HttpResultAttribute))
        {
            var kind = options.Outputs.FirstOrDefault(kind => kind.Attribute == binding.GetType())
                ?? throw function.Refusal($"[{binding.GetType().Name}] is not offered by this host.");
            senders.Add((name, kind.Attach(binding, function, Host(kind.HostJsonSection))));
        }

        return senders;
    }

    TriggerServices Host(string? section) => new(
        services, settings, options.Clock,
        section is not null && hostJson.Extensions.TryGetValue(section, out var json) ? json : null);

    void WarnOfSections(IEnumerable<ITriggerKind> kinds)
    {
        var known = kinds.Select(kind => kind.HostJsonSection)
            .Concat(options.Outputs.Select(kind => kind.HostJsonSection))
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        hostJson.Unknown.AddRange(
            hostJson.Extensions.Keys.Where(name => !known.Contains(name)).Select(name => $"extensions.{name}"));
    }
}
