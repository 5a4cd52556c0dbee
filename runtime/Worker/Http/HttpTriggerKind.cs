using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Runtime.Worker;

/// <summary>HTTP functions: checks them at start and hands their routes to the web pipeline.</summary>
sealed class HttpTriggerKind(HostJson hostJson, bool webApplication) : ITriggerKind
{
    readonly List<HttpRoute> routes = [];

    public Type Attribute => typeof(HttpTriggerAttribute);

    // The real host knows no retries for HTTP: the caller is the one who retries.
    public bool HonoursRetry => false;

    public string? HostJsonSection => "http";

    public ITriggerSource Attach(TriggeredFunction function, TriggerServices host)
    {
        if (!webApplication)
        {
            throw function.Refusal(
                "HTTP functions need builder.ConfigureFunctionsWebApplication() in the composition.");
        }

        var trigger = (HttpTriggerAttribute)function.Trigger;
        var pattern = Pattern(function, trigger.Route ?? function.Name);
        CheckConstraints(function, pattern, host.Services.GetRequiredService<IInlineConstraintResolver>());
        BindParameters(function, pattern, host);
        CheckResult(function);

        var methods = (trigger.Methods ?? []).Select(method => method.ToUpperInvariant()).Distinct().ToArray();
        var keys = FunctionKeys.Of(function, trigger.AuthLevel, host.Settings);
        var route = new HttpRoute(function, pattern, methods, keys);
        if (routes.Find(route.Overlaps) is { } taken)
        {
            throw function.Refusal(
                $"'{route.Description}' is answered by function '{taken.Function.Name}' already " +
                $"('{taken.Description}').");
        }

        routes.Add(route);
        return route;
    }

    RoutePattern Pattern(TriggeredFunction function, string route)
    {
        var template = $"{hostJson.RoutePrefix}/{route.Trim('/')}".Trim('/');
        try
        {
            return RoutePatternFactory.Parse(template);
        }
        catch (RoutePatternException e)
        {
            throw function.Refusal($"its route '{template}' is malformed: {e.Message}");
        }
    }

    // Routing itself would find out with the first request.
    static void CheckConstraints(
        TriggeredFunction function, RoutePattern pattern, IInlineConstraintResolver constraints)
    {
        foreach (var constraint in pattern.Parameters.SelectMany(parameter => parameter.ParameterPolicies))
        {
            try
            {
                if (constraints.ResolveConstraint(constraint.Content!) is null)
                {
                    throw function.Refusal($"its route constraint '{constraint.Content}' is unknown.");
                }
            }
            catch (RouteCreationException e)
            {
                throw function.Refusal($"its route constraint '{constraint.Content}' is wrong: {e.Message}");
            }
        }
    }

    static void BindParameters(TriggeredFunction function, RoutePattern pattern, TriggerServices host)
    {
        if (function.Parameter.ParameterType != typeof(HttpRequest))
        {
            throw function.Refusal(
                $"the trigger of an HTTP function is an HttpRequest, not {function.Parameter.ParameterType.Name}; " +
                "the real worker fills nothing else (HttpRequest has the HttpContext, [FromBody] has the body).",
                function.Parameter);
        }

        function.Bind(function.Parameter, static (_, payload) => new(((HttpContext)payload!).Request));
        foreach (var parameter in function.Unbound.ToList())
        {
            function.Bind(parameter, parameter.IsDefined(typeof(FromBodyAttribute))
                ? BodyBinder.For(parameter, host.Services)
                : FromRoute(function, pattern, parameter));
        }
    }

    static ParameterBinder FromRoute(TriggeredFunction function, RoutePattern pattern, ParameterInfo parameter)
    {
        var part = pattern.GetParameter(parameter.Name!) ?? throw function.Refusal(
            $"nothing fills it: the route '{pattern.RawText}' has no {{{parameter.Name}}}, it has no [FromBody], " +
            "and services come through the constructor.", parameter);
        if (part.IsOptional && !CanBeMissing(parameter))
        {
            throw function.Refusal("its route value is optional, so it must be nullable or have a default.", parameter);
        }

        return RouteValueBinder.For(parameter) ?? throw function.Refusal(
            $"a route value cannot become {parameter.ParameterType.Name}; take a string, number, bool, Guid or date.",
            parameter);
    }

    static bool CanBeMissing(ParameterInfo parameter) => parameter.HasDefaultValue ||
        Nullable.GetUnderlyingType(parameter.ParameterType) is not null ||
        (!parameter.ParameterType.IsValueType &&
            new NullabilityInfoContext().Create(parameter).WriteState is not NullabilityState.NotNull);

    static void CheckResult(TriggeredFunction function)
    {
        var outputs = CompiledFunction.OutputProperties(function.Method).ToList();
        var answers = outputs.Where(property => property.IsDefined(typeof(HttpResultAttribute))).ToList();
        var result = CompiledFunction.ResultType(function.Method);
        var answer = answers.Count switch
        {
            0 when outputs.Count == 0 => result,
            1 => answers[0].PropertyType,
            var count => throw function.Refusal(
                $"{result.Name} has {count} properties with [HttpResult]; a result with outputs needs exactly one."),
        };

        if (answer != typeof(void) && !answer.IsAssignableTo(typeof(IResult)))
        {
            throw function.Refusal(
                $"it answers with {answer.Name}, which the real worker drops silently (an empty 200); return an " +
                "IResult such as TypedResults.Ok(value), or write to the response and return nothing.");
        }
    }
}
