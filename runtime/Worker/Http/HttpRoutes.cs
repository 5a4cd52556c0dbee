using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Runtime.Worker;

/// <summary>One HTTP function at its address.</summary>
sealed record HttpRoute(
    TriggeredFunction Function, RoutePattern Pattern, IReadOnlyList<string> Methods, FunctionKeys? Keys) : ITriggerSource
{
    public string Description => $"{(Methods.Count == 0 ? "*" : string.Join(',', Methods))} /{Pattern.RawText}";

    // The web server starts and stops all routes at once.
    public Task StartAsync(CancellationToken cancellation) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>The pattern without the parameters' names: two routes of one shape match the same addresses.</summary>
    public string Shape => string.Join('/', Pattern.PathSegments.Select(segment => string.Concat(segment.Parts.Select(Part))));

    static string Part(RoutePatternPart part) => part switch
    {
        RoutePatternLiteralPart literal => literal.Content.ToUpperInvariant(),
        RoutePatternSeparatorPart separator => separator.Content,
        RoutePatternParameterPart parameter =>
            $"{{{(parameter.IsCatchAll ? "*" : "")}{string.Concat(parameter.ParameterPolicies.Select(p => $":{p.Content}"))}}}",
        _ => throw new InvalidOperationException($"Unknown route part {part.GetType()}."),
    };
}

/// <summary>All HTTP functions; together they must leave no address ambiguous.</summary>
sealed class HttpRoutes
{
    readonly List<HttpRoute> routes = [];

    public IReadOnlyList<HttpRoute> All => routes;

    public HttpRoute Add(HttpRoute route)
    {
        if (routes.Find(other => other.Shape == route.Shape && Overlap(other.Methods, route.Methods)) is { } taken)
        {
            throw route.Function.Refusal(
                $"'{route.Description}' is answered by function '{taken.Function.Name}' already ('{taken.Description}').");
        }

        routes.Add(route);
        return route;
    }

    public EndpointDataSource Endpoints(Func<HttpRoute, RequestDelegate> serve) =>
        new DefaultEndpointDataSource(routes.Select(route => Endpoint(route, serve(route))));

    static Endpoint Endpoint(HttpRoute route, RequestDelegate serve)
    {
        var endpoint = new RouteEndpointBuilder(serve, route.Pattern, order: 0) { DisplayName = route.Function.Name };
        if (route.Methods.Count > 0)
        {
            endpoint.Metadata.Add(new HttpMethodMetadata(route.Methods));
        }

        return endpoint.Build();
    }

    static bool Overlap(IReadOnlyList<string> one, IReadOnlyList<string> other) =>
        one.Count == 0 || other.Count == 0 || one.Intersect(other).Any();
}
